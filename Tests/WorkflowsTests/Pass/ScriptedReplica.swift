import MySQLControl
import Positions

@testable import Workflows

/// A server that says of its files what a test wants, and does nothing.
struct ScriptedReplica: ReplicaServer {
    var files: [TablespaceFile] = []
    var encryption: [String] = []
    var engines: [String] = []
    var values: [String: String] = [:]
    var prepared: [String]? = []

    func tablespaces() async throws -> [TablespaceFile] { files }
    func encryptionBesideTablespaces() async throws -> [String] { encryption }
    func foreignEngines() async throws -> [String] { engines }
    func settings(_ names: [String]) async throws -> [String: String] { values }
    func preparedTransactions() async throws -> [String]? { prepared }

    func executedPosition() async throws -> Position { .mysql56(GTIDSet()) }
    func purgedPosition() async throws -> Position? { nil }
    func serverUUID() async throws -> String { "" }
    func versionText() async throws -> String { "" }
    func checkTables() async throws -> TableCheck { TableCheck(tables: 0, problems: []) }
    func replicationStatus() async throws -> ReplicationStatus? { nil }
    func replicate(from source: ReplicationSource) async throws {}
    func announceStop() async throws {}
    func stopReplication() async throws {}
    func forgetSource() async throws {}
    func dropSource() async throws {}
    func memoryTables() async throws -> [TableName] { [] }
    func existing(_ tables: [TableName]) async throws -> [TableName] { [] }
    func emptyUnlogged(_ tables: [TableName]) async throws {}
    func leaveOut(_ tables: [TableName]) async throws {}
    func hasIgnoredChanges(of tables: [TableName]) async throws -> Bool? { nil }
    func openTemporaryTables() async throws -> Int { 0 }
    func resetReplication() async throws {}
    func setPosition(_ position: Position) async throws {}
    func setSuperReadOnly(_ on: Bool) async throws -> Bool { !on }
    func setRedoLog(enabled: Bool) async throws {}
    func requestSlowShutdown() async throws {}
    func execute(_ statements: [String]) async throws {}
    func executeKillable(_ statements: [String]) async throws {}
}
