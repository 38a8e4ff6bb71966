package import Positions
package import Topology

/// How a tablet's server replicates, as its tablet manager says.
package struct TabletReplication: Hashable, Sendable {
    /// The state of one of the two replication threads.
    package enum Thread: Hashable, Sendable {
        case unknown, stopped, connecting, running
    }

    /// What it has executed; `nil`: it said none.
    package var position: Position?
    /// Behind its source; `nil`: not known.
    package var lag: Duration?
    package var sourceHost: String
    package var sourcePort: Int
    package var receiver: Thread
    package var applier: Thread
    package var receiverError: String
    package var applierError: String
    /// A backup is being taken of it.
    package var isBackupRunning: Bool

    /// What a tablet said.
    package init(
        position: Position?,
        lag: Duration?,
        sourceHost: String,
        sourcePort: Int,
        receiver: Thread,
        applier: Thread,
        receiverError: String,
        applierError: String,
        isBackupRunning: Bool
    ) {
        (self.position, self.lag, self.sourceHost, self.sourcePort) = (position, lag, sourceHost, sourcePort)
        (self.receiver, self.applier, self.isBackupRunning) = (receiver, applier, isBackupRunning)
        (self.receiverError, self.applierError) = (receiverError, applierError)
    }
}

/// All that a tablet manager says of its server at once, as far as backups need it.
package struct TabletStatus: Hashable, Sendable {
    package var serverID: UInt32
    package var serverUUID: String
    /// `8.4.6`.
    package var version: String
    package var versionComment: String
    /// What its binary logs no longer hold.
    package var purged: Position?
    /// `nil`: it replicates from nobody.
    package var replication: TabletReplication?
    /// What it has executed, when it is a primary.
    package var primaryPosition: Position?
    package var isReadOnly: Bool
    package var isSuperReadOnly: Bool
    /// Its disk does not answer; nothing else is told then.
    package var isDiskStalled: Bool
    package var kind: TabletRecord.Kind

    /// What a tablet said.
    package init(
        serverID: UInt32,
        serverUUID: String,
        version: String,
        versionComment: String,
        purged: Position?,
        replication: TabletReplication?,
        primaryPosition: Position?,
        isReadOnly: Bool,
        isSuperReadOnly: Bool,
        isDiskStalled: Bool,
        kind: TabletRecord.Kind
    ) {
        (self.serverID, self.serverUUID, self.version) = (serverID, serverUUID, version)
        (self.versionComment, self.purged, self.replication) = (versionComment, purged, replication)
        (self.primaryPosition, self.isReadOnly, self.isSuperReadOnly) = (primaryPosition, isReadOnly, isSuperReadOnly)
        (self.isDiskStalled, self.kind) = (isDiskStalled, kind)
    }
}

/// The port to the tablets of a shard: how each one replicates.
package protocol ObservedTablets: Sendable {
    /// Replication as it is now.
    ///
    /// A tablet that is restoring when it starts does not answer until that has ended.
    /// - Returns: `nil` when it replicates from nobody.
    /// - Throws: any error, also when there is no answer within `limit`.
    func replication(of tablet: TabletRecord, within limit: Duration) async throws -> TabletReplication?

    /// All of its state.
    /// - Throws: any error, also when there is no answer within `limit`.
    func status(of tablet: TabletRecord, within limit: Duration) async throws -> TabletStatus
}
