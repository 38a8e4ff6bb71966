import Glibc
package import Host
package import MySQLControl
import MySQLWire
import Positions
import Storage
import Synchronization
package import SystemPackage
package import Workflows

/// The double of a mysqld: files whose content follows from what it has executed, and a replica that obeys a script.
///
/// A restored folder whose files do not belong together does not start, as a real one would not.
package struct SimulatedServer: TabletServer {
    package let directory: TabletDirectory
    package let versionText = "Ver 9.7.0 simulated"
    package let fileOwner: FileOwner? = nil
    let shard: SimulatedShard
    let faults: FaultLog

    /// Names below the tablet's folder; the first one holds the position.
    static let files = [
        "data/shop/position.ibd", "innodb/data/ibdata1", "innodb/logs/#innodb_redo/#ib_redo1", "data/mysql.ibd",
        "data/shop/a.ibd", "data/shop/b.ibd", "data/shop/empty.ibd",
    ]

    /// The content of a file of a server that has executed exactly `executed`.
    static func content(_ name: String, _ executed: String) -> [UInt8] {
        if name == files[0] { return Array(executed.utf8) }
        if name.hasSuffix("empty.ibd") { return [] }
        var crc = CRC32()
        Array("\(name) \(executed)".utf8).withUnsafeBytes { crc.update($0) }
        var generator = SeededGenerator(seed: UInt64(crc.value))
        let count = 1_000 + Int(crc.value % 40_000)
        // By whole stretches: a campaign makes gigabytes of it.
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            while initialized < count {
                let length = min(count - initialized, Int.random(in: 1...500, using: &generator))
                let byte = UInt8.random(in: 0...255, using: &generator)
                buffer[initialized..<(initialized + length)].initialize(repeating: byte)
                initialized += length
            }
        }
    }

    /// What the files say that was executed.
    /// - Throws: ``MysqldError`` when they do not belong together.
    static func executed(in directory: TabletDirectory) throws -> GTIDSet {
        let path = directory.path.pushing(FilePath(files[0]))
        guard let bytes = try FileTree.read(path, limit: 1 << 20) else {
            throw MysqldError(.start, "\(path) is missing")
        }
        let text = String(decoding: bytes, as: UTF8.self)
        for name in files {
            let found = try FileTree.read(directory.path.pushing(FilePath(name)), limit: 1 << 20)
            let expected = content(name, text)
            guard let found, found.count == expected.count, memcmp(found, expected, found.count) == 0 else {
                throw MysqldError(.start, "\(name) in \(directory.path) does not belong to position \(text)")
            }
        }
        return try GTIDSet(text)
    }

    package func writeConfiguration() async throws {}

    package func withServer<Result: Sendable>(
        _ body: @escaping @Sendable (any ReplicaServer) async throws -> Result
    ) async throws -> Result {
        let executed = try Self.executed(in: directory)
        if faults.takes(.doesNotStart) { throw MysqldError(.start, "mysqld ended by itself") }
        let replica = SimulatedReplica(shard: shard, faults: faults, executed: executed)
        let result: Result
        do {
            result = try await body(replica)
        } catch {
            throw replica.isDead ? MysqldError(.died, "mysqld was ended by signal 9", cause: error) : error
        }
        if faults.takes(.diesWhileStopping) { throw MysqldError(.died, "mysqld was ended by signal 9") }
        try write(replica.executed)
        return result
    }

    package func initialize<Result: Sendable>(
        initSQLFile: FilePath?,
        _ body: @escaping @Sendable (any ReplicaServer) async throws -> Result
    ) async throws -> Result {
        try directory.create(owner: nil)
        try write(GTIDSet())
        return try await withServer(body)
    }

    private func write(_ executed: GTIDSet) throws {
        for name in Self.files {
            let path = directory.path.pushing(FilePath(name))
            try FileTree.createDirectory(path.removingLastComponent(), parents: true)
            try FileTree.write(Self.content(name, executed.description), to: path)
        }
    }
}

/// A replica that applies a few transactions between two readings of its status.
final class SimulatedReplica: ReplicaServer {
    private struct State {
        var executed: GTIDSet
        var source: ReplicationSource?
        var isRunning = false
        var applierStops = false
        var receiverStops = false
        var isDead = false
        /// Readings until replication has stopped, and what the applier has done meanwhile.
        var stopping = 0
        var isBusyStopping = false
        /// What its applier fails with whenever it runs.
        var broken: Int?
        var work: Int64 = 0
    }

    private let shard: SimulatedShard
    private let faults: FaultLog
    private let state: Mutex<State>

    init(shard: SimulatedShard, faults: FaultLog, executed: GTIDSet) {
        (self.shard, self.faults) = (shard, faults)
        state = Mutex(State(executed: executed))
    }

    var executed: GTIDSet { state.withLock { $0.executed } }
    var isDead: Bool { state.withLock { $0.isDead } }

    func executedPosition() async throws -> Position { .mysql56(executed) }
    func purgedPosition() async throws -> Position? { .mysql56(executed) }
    func serverUUID() async throws -> String { "99999999-0000-0000-0000-000000000000" }
    func versionText() async throws -> String { "Ver 9.7.0 simulated" }
    func tablespaces() async throws -> [TablespaceFile] { [] }
    func preparedTransactions() async throws -> [String]? { [] }
    func encryptionBesideTablespaces() async throws -> [String] { [] }
    func foreignEngines() async throws -> [String] { [] }
    func settings(_ names: [String]) async throws -> [String: String] { [:] }
    func checkTables() async throws -> TableCheck { TableCheck(tables: 1, problems: []) }

    func replicate(from source: ReplicationSource) async throws {
        for case .cannotStartReplication(let times) in faults.planned
        where faults.takes(.cannotStartReplication(times), times: times) {
            throw MysqldError(.statement, "START REPLICA failed: too many connections")
        }
        for case .baseCannotCatchUp(let errno) in faults.planned where faults.takes(.baseCannotCatchUp(errno: errno)) {
            state.withLock { $0.broken = errno }
        }
        state.withLock { ($0.source, $0.isRunning, $0.applierStops, $0.receiverStops) = (source, true, false, false) }
    }

    func memoryTables() async throws -> [TableName] { [] }
    func existing(_ tables: [TableName]) async throws -> [TableName] { tables }
    func emptyUnlogged(_ tables: [TableName]) async throws {}
    func leaveOut(_ tables: [TableName]) async throws {}
    func hasIgnoredChanges(of tables: [TableName]) async throws -> Bool? { false }

    func openTemporaryTables() async throws -> Int {
        for case .temporaryTables(let times) in faults.planned
        where faults.takes(.temporaryTables(times), times: times) { return 1 }
        return 0
    }

    func announceStop() async throws {}

    func stopReplication() async throws {
        for case .stopTakes(let readings, let isBusy) in faults.planned
        where faults.takes(.stopTakes(readings, isBusy: isBusy)) {
            state.withLock { ($0.stopping, $0.isBusyStopping) = (readings, isBusy) }
        }
        while state.withLock({ $0.stopping > 0 }) {
            try Task.checkCancellation()
            await Task.yield()
        }
        state.withLock { $0.isRunning = false }
    }

    func forgetSource() async throws { state.withLock { ($0.source, $0.isRunning) = (nil, false) } }
    func dropSource() async throws { state.withLock { ($0.source, $0.isRunning) = (nil, false) } }
    func resetReplication() async throws { state.withLock { ($0.source, $0.isRunning) = (nil, false) } }

    func setPosition(_ position: Position) async throws {
        guard case .mysql56(let set) = position else { throw MysqldError(.replication, "not a GTID set") }
        state.withLock { $0.executed = set }
    }

    func setSuperReadOnly(_ on: Bool) async throws -> Bool { !on }
    func setRedoLog(enabled: Bool) async throws {}
    func requestSlowShutdown() async throws {}
    func execute(_ statements: [String]) async throws {}
    func executeKillable(_ statements: [String]) async throws {}

    // MARK: Status

    func replicationStatus() async throws -> ReplicationStatus? {
        let reading = faults.nextReading()
        var errors = (receiver: (0, ""), applier: (0, ""), receiverRuns: true, applierRuns: true, moves: true)
        for fault in faults.planned {
            switch fault {
            case .diesWhileCatchingUp(reading):
                _ = faults.takes(fault)
                state.withLock { $0.isDead = true }
            case .statusFails(let times) where faults.takes(fault, times: times):
                throw MysqldError(.statement, "lost connection to the server during query")
            case .connectionLost(let times, let stops) where faults.takes(fault, times: times):
                (errors.receiver, errors.receiverRuns, errors.moves) = ((2003, "error connecting"), !stops, false)
            case .applierStopped(let times) where faults.takes(fault, times: times):
                (errors.applierRuns, errors.moves) = (false, false)
            case .applierFails(let errno):
                faults.note(fault)
                (errors.applier, errors.applierRuns, errors.moves) = ((errno, "could not execute"), false, false)
            case .receiverFails(let errno):
                faults.note(fault)
                (errors.receiver, errors.receiverRuns, errors.moves) = ((errno, "got fatal error"), false, false)
            case .stalls(let after) where reading > after:
                faults.note(fault)
                errors.moves = false
            case .failover(reading, let lost):
                _ = faults.takes(fault)
                try shard.failOver(losing: lost)
            default: break
            }
        }
        if let errno = state.withLock({ $0.broken }) {
            (errors.applier, errors.applierRuns, errors.moves) = ((errno, "could not execute"), false, false)
        }
        if isDead { throw MysqldError(.statement, "cannot connect to the socket") }
        state.withLock { state in
            guard state.stopping > 0 else { return }
            state.stopping -= 1
            if state.isBusyStopping { state.work += 1 }
        }
        try advance(moves: errors.moves, reading: reading)
        let (state, primary) = (
            state.withLock { $0 }, state.withLock { $0.source }.flatMap { shard.primary(port: $0.port) }
        )
        guard state.source != nil else { return nil }
        if primary?.isAlive != true { errors.receiver = (2003, "error connecting to source") }
        var status = try ReplicationStatus(
            Self.result([
                "Executed_Gtid_Set": state.executed.description, "Retrieved_Gtid_Set": "",
                "Replica_IO_Running": errors.receiverRuns ? (primary?.isAlive == true ? "Yes" : "Connecting") : "No",
                "Replica_SQL_Running": errors.applierRuns && state.isRunning ? "Yes" : "No",
                "Last_IO_Errno": String(errors.receiver.0), "Last_IO_Error": errors.receiver.1,
                "Last_SQL_Errno": String(errors.applier.0), "Last_SQL_Error": errors.applier.1,
            ]),
            dialect: .modern
        )
        status?.work = state.work
        return status
    }

    private func advance(moves: Bool, reading: Int) throws {
        let source = state.withLock { $0.isRunning ? $0.source : nil }
        guard moves, let source, let primary = shard.primary(port: source.port), primary.isAlive else { return }
        // Some at a time, the missing ones in order.
        let missing = primary.executed.subtracting(executed)
        guard !missing.isEmpty else { return }
        let part = try GTIDSet(Self.first(40, of: missing))
        state.withLock { $0.executed = $0.executed.union(part) }
    }

    private static func first(_ count: Int64, of set: GTIDSet) -> String {
        // `uuid:a-b:c-d,uuid:e`: the first interval, cut.
        let source = set.description.split(separator: ",")[0].split(separator: ":")
        let bounds = source[1].split(separator: "-").compactMap { Int64($0) }
        return "\(source[0]):\(bounds[0])-\(min(bounds[bounds.count - 1], bounds[0] + count - 1))"
    }

    private static func result(_ values: [String: String]) -> ResultSet {
        var result = ResultSet()
        result.columns = values.keys.sorted()
        result.rows = [result.columns.map { values[$0] }]
        return result
    }
}
