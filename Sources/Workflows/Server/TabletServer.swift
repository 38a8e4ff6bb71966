package import Host
package import MySQLControl
import Positions
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
