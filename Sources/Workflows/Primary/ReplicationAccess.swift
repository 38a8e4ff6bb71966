package import Topology

/// The port to the primary's mysqld: whether a replica with our user could replicate from it.
package protocol ReplicationAccess: Sendable {
    /// One attempt within a minute.
    /// - Throws: ``PrimaryError`` when it could not, and asking again cannot help; any other error when nobody can tell.
    func check(_ tablet: TabletRecord) async throws
}
