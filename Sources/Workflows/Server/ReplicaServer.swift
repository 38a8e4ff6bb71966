package import MySQLControl
package import Positions

/// The port to a running server of ours: all that a pass asks of it, by subject.
package protocol ReplicaServer: DescribedServer, InspectedServer, ReplicatingServer, SessionBoundServer,
    AdministeredServer
{}

/// What a server says of itself, for the MANIFEST.
package protocol DescribedServer: Sendable {
    func executedPosition() async throws -> Position
    /// `nil` where the server does not know.
    func purgedPosition() async throws -> Position?
    /// Empty where it has none.
    func serverUUID() async throws -> String
    func versionText() async throws -> String
    /// XA transactions that wait for their end; `nil`: it does not let us see them.
    func preparedTransactions() async throws -> [String]?
}

/// What must be known of a server whose files are copied, or were.
package protocol InspectedServer: Sendable {
    /// The files of every tablespace that must be in a copy of this server.
    func tablespaces() async throws -> [TablespaceFile]
    /// Settings by which it encrypts what is no tablespace.
    func encryptionBesideTablespaces() async throws -> [String]
    /// Engines with tables whose files nobody copies.
    func foreignEngines() async throws -> [String]
    /// Global variables by their names, as far as it has them.
    func settings(_ names: [String]) async throws -> [String: String]
    /// Lets it check every InnoDB table.
    func checkTables() async throws -> TableCheck
}

/// A server as a replica.
package protocol ReplicatingServer: Sendable {
    /// `nil` when it has no source.
    func replicationStatus() async throws -> ReplicationStatus?
    func replicate(from source: ReplicationSource) async throws
    /// Tells the hook that replication is about to be stopped.
    func announceStop() async throws
    /// Returns when both threads have ended, which may take as long as a transaction; see ``ReplicationStop``.
    func stopReplication() async throws
    func forgetSource() async throws
    /// As ``forgetSource()``, of a server that has stopped replicating.
    func dropSource() async throws
    func resetReplication() async throws
    func setPosition(_ position: Position) async throws
}

/// State that no file holds; see ``SessionState``.
package protocol SessionBoundServer: Sendable {
    func memoryTables() async throws -> [TableName]
    /// Those of `tables` that there are, with whatever engine.
    func existing(_ tables: [TableName]) async throws -> [TableName]
    /// Empties tables, which are empty, without a trace.
    func emptyUnlogged(_ tables: [TableName]) async throws
    /// Lets a stopped applier leave out these tables.
    func leaveOut(_ tables: [TableName]) async throws
    /// Whether more than rows may have been left out; `nil`: the server cannot tell.
    func hasIgnoredChanges(of tables: [TableName]) async throws -> Bool?
    /// Of the applier.
    func openTemporaryTables() async throws -> Int
}

/// What an administrator does.
package protocol AdministeredServer: Sendable {
    /// - Returns: whether it was on before.
    @discardableResult
    func setSuperReadOnly(_ on: Bool) async throws -> Bool
    func setRedoLog(enabled: Bool) async throws
    func requestSlowShutdown() async throws
    func execute(_ statements: [String]) async throws
    /// As ``execute(_:)``, and what is cancelled stops in the server too.
    func executeKillable(_ statements: [String]) async throws
}
