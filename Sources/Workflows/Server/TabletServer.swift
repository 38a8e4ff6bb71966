package import Host
package import MySQLControl
package import Positions
package import SystemPackage

/// The port to a pass's own mysqld: made, started, stopped and thrown away.
///
/// `Mysqld` is the real one; the double of the campaigns is in TestKit.
package protocol TabletServer: Sendable {
    var directory: TabletDirectory { get }
    /// Text of the version that will run on restored data.
    var versionText: String { get }
    /// Whose the files are; `nil`: ours.
    var fileOwner: FileOwner? { get }

    /// Writes my.cnf.
    func writeConfiguration() async throws

    /// Global variables by their names as the server would begin with; `nil`: that cannot be told without starting it.
    func plannedSettings(_ names: [String]) async throws -> [String: String]?

    /// The values of `lower_case_table_names` here and in the data, when that is why the last start failed.
    func refusedTableNames() throws -> (here: String, data: String)?

    /// Starts the server, runs `body` with it and stops it cleanly; see ``MySQLControl/Mysqld``.
    func withServer<Result: Sendable>(
        _ body: @escaping @Sendable (any ReplicaServer) async throws -> Result
    ) async throws -> Result

    /// The same with a data directory made anew.
    func initialize<Result: Sendable>(
        initSQLFile: FilePath?,
        _ body: @escaping @Sendable (any ReplicaServer) async throws -> Result
    ) async throws -> Result
}

extension TabletServer {
    package func plannedSettings(_ names: [String]) async throws -> [String: String]? { nil }
    package func refusedTableNames() throws -> (here: String, data: String)? { nil }
}

/// The port to a running server of ours: what a pass asks of it.
package protocol ReplicaServer: Sendable {
    func executedPosition() async throws -> Position
    /// `nil` where the server does not know.
    func purgedPosition() async throws -> Position?
    /// Empty where it has none.
    func serverUUID() async throws -> String
    func versionText() async throws -> String
    /// The files of every tablespace that must be in a copy of this server.
    func tablespaces() async throws -> [TablespaceFile]
    /// XA transactions that wait for their end; `nil`: it does not let us see them.
    func preparedTransactions() async throws -> [String]?
    /// Settings by which it encrypts what is no tablespace.
    func encryptionBesideTablespaces() async throws -> [String]
    /// Engines with tables whose files nobody copies.
    func foreignEngines() async throws -> [String]
    /// Global variables by their names, as far as it has them.
    func settings(_ names: [String]) async throws -> [String: String]
    /// Lets it check every InnoDB table.
    func checkTables() async throws -> TableCheck

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

    /// - Returns: whether it was on before.
    @discardableResult
    func setSuperReadOnly(_ on: Bool) async throws -> Bool
    func setRedoLog(enabled: Bool) async throws
    func requestSlowShutdown() async throws
    func execute(_ statements: [String]) async throws
    /// As ``execute(_:)``, and what is cancelled stops in the server too.
    func executeKillable(_ statements: [String]) async throws
}

extension RunningMysqld: ReplicaServer {}

extension Mysqld: TabletServer {
    package var versionText: String { installation.versionText }
    package var fileOwner: FileOwner? { user.fileOwner }

    package func plannedSettings(_ names: [String]) async throws -> [String: String]? {
        try await plannedSettings(among: names)
    }

    package func withServer<Result: Sendable>(
        _ body: @escaping @Sendable (any ReplicaServer) async throws -> Result
    ) async throws -> Result {
        try await withServer { (server: RunningMysqld) in try await body(server) }
    }

    package func initialize<Result: Sendable>(
        initSQLFile: FilePath?,
        _ body: @escaping @Sendable (any ReplicaServer) async throws -> Result
    ) async throws -> Result {
        try await initialize(initSQLFile: initSQLFile) { (server: RunningMysqld) in try await body(server) }
    }
}
