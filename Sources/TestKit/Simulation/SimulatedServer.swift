import Catalog
import Glibc
package import MySQLControl
import MySQLWire
import Positions
package import Streams
import Synchronization
package import SystemPackage
package import Workflows

/// What goes wrong with a simulated mysqld.
package enum ServerFault: Hashable, Sendable {
    case doesNotStart
    /// Dies at this reading of its status.
    case diesWhileCatchingUp(Int)
    case diesWhileStopping
    /// So many readings of the status fail.
    case statusFails(Int)
    /// The receiver has lost the connection for so many readings; the thread stays, or stops.
    case connectionLost(Int, stops: Bool)
    /// The applier is stopped so many times by somebody.
    case applierStopped(Int)
    case applierFails(errno: Int)
    case receiverFails(errno: Int)
    /// Nothing moves any more after so many readings.
    case stalls(after: Int)
    /// At this reading the primary dies; another one takes over that lacks so many transactions.
    case failover(Int, losing: Int64)
    /// At this reading, the primary dies and comes back after so many more.
    case cannotStartReplication(Int)
}

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

/// Which faults are still to come, and which have come.
package final class FaultLog: Sendable {
    private struct State {
        var planned: [ServerFault]
        var injected = 0
        var readings = 0
        var remaining: [ServerFault: Int] = [:]
    }
    private let state: Mutex<State>

    /// Plans faults.
    package init(_ planned: [ServerFault] = []) {
        state = Mutex(State(planned: planned))
    }

    /// Faults that have come so far.
    package var injected: Int { state.withLock { $0.injected } }

    var planned: [ServerFault] { state.withLock { $0.planned } }

    /// Whether this fault comes now; it comes once.
    func takes(_ fault: ServerFault) -> Bool {
        state.withLock { state in
            guard let index = state.planned.firstIndex(of: fault) else { return false }
            state.planned.remove(at: index)
            state.injected += 1
            return true
        }
    }

    /// Whether a fault that comes `times` times comes now.
    func takes(_ fault: ServerFault, times: Int) -> Bool {
        state.withLock { state in
            guard state.planned.contains(fault), state.remaining[fault, default: times] > 0 else { return false }
            if state.remaining[fault] == nil { state.injected += 1 }
            state.remaining[fault, default: times] -= 1
            return true
        }
    }

    /// Counts a fault that comes again and again.
    func note(_ fault: ServerFault) {
        state.withLock { state in
            if state.remaining[fault] == nil { state.injected += 1 }
            state.remaining[fault] = 0
        }
    }

    func nextReading() -> Int {
        state.withLock { state in
            state.readings += 1
            return state.readings
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
    func checkTables() async throws -> TableCheck { TableCheck(tables: 1, problems: []) }

    func replicate(from source: ReplicationSource) async throws {
        for case .cannotStartReplication(let times) in faults.planned
        where faults.takes(.cannotStartReplication(times), times: times) {
            throw MysqldError(.statement, "START REPLICA failed: too many connections")
        }
        state.withLock { ($0.source, $0.isRunning, $0.applierStops, $0.receiverStops) = (source, true, false, false) }
    }

    func stopReplication() async throws { state.withLock { $0.isRunning = false } }
    func forgetSource() async throws { state.withLock { ($0.source, $0.isRunning) = (nil, false) } }
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
        if isDead { throw MysqldError(.statement, "cannot connect to the socket") }
        try advance(moves: errors.moves, reading: reading)
        let (state, primary) = (
            state.withLock { $0 }, state.withLock { $0.source }.flatMap { shard.primary(port: $0.port) }
        )
        guard state.source != nil else { return nil }
        if primary?.isAlive != true { errors.receiver = (2003, "error connecting to source") }
        return try ReplicationStatus(
            Self.result([
                "Executed_Gtid_Set": state.executed.description, "Retrieved_Gtid_Set": "",
                "Replica_IO_Running": errors.receiverRuns ? (primary?.isAlive == true ? "Yes" : "Connecting") : "No",
                "Replica_SQL_Running": errors.applierRuns && state.isRunning ? "Yes" : "No",
                "Last_IO_Errno": String(errors.receiver.0), "Last_IO_Error": errors.receiver.1,
                "Last_SQL_Errno": String(errors.applier.0), "Last_SQL_Error": errors.applier.1,
            ]),
            dialect: .modern
        )
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
