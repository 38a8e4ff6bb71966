import Catalog
import Concurrency
import FoundationEssentials
import Glibc
import Host
import MySQLControl
import MySQLWire
import NIOCore
import SystemPackage
import TestKit
import Testing

/// Seeded faults against the program on real servers, under load; `Scripts/soak --real` runs many.
@Suite(
    "real campaign",
    .enabled(if: RealComponents.runsMySQL && geteuid() == 0, "it needs VT_MYSQL_ROOT, and root for its small disks"),
    .timeLimit(.minutes(600))
)
struct RealCampaignTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let first = environment["VTB_SOAK_SEED"].flatMap { UInt64($0) } ?? 1
    private static let count = environment["VTB_SOAK_REAL_RUNS"].flatMap { UInt64($0) } ?? 3

    @Test("no false success, no stuck pass, nothing left, whatever happens")
    func promises() async throws {
        let log = CampaignLog()
        let done = log.seeds("real")
        try await RealWorld.with { world in
            for seed in Self.first..<(Self.first + Self.count) where !done.contains(seed) {
                let line = try await world.run(seed: seed)
                print(line)
                log.note(line)
                #expect(!line.contains("VIOLATION"), "\(line)")
            }
        }
    }

    @Test(
        "12,000 partitions are backed up and verified",
        .enabled(if: environment["VTB_SOAK_REAL_RUNS"] != nil, "it takes minutes: Scripts/soak --real runs it")
    )
    func manyTablespaces() async throws {
        try await TestShard.with { shard in
            for name in ["a", "b"] {
                try await shard.primary.sql(
                    "CREATE TABLE vt_commerce.\(name) (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 6000",
                    "INSERT INTO vt_commerce.\(name) VALUES (1), (2)"
                )
            }
            let run = try await shard.vtbackup("--allow-first-backup", "--verify-after")
            #expect(run.succeeded, "\(run.standardError.suffix(3000))")
            #expect(try shard.newestManifest().builtin?.files.count ?? 0 > 12_000)
        }
    }
}

/// A shard with two servers that take turns as primary, written to all the time.
private struct RealWorld: Sendable {
    private static let accounts = 50
    /// So much is on all accounts together, in every backup.
    private static let total = 50_000

    let shard: TestShard
    let servers: [RunningMysqld]
    let disk: FilePath
    /// Index of the present primary.
    let current = LockedBox(0)
    /// Backups that were restored and found good.
    let checked = LockedBox<Set<String>>([])

    static func with(_ body: @escaping @Sendable (RealWorld) async throws -> Void) async throws {
        try await TestShard.with { shard in
            try await withSmallDisk(at: shard.storageRoot, bytes: 4 << 30) { disk in
                let mysqld = try await TestServers.shared.server(
                    in: shard.folder.appending("b"),
                    eventLoops: shard.eventLoops
                )
                try await mysqld.withServer { (other: RunningMysqld) in
                    let world = RealWorld(shard: shard, servers: [shard.primary, other], disk: disk)
                    try await world.prepare()
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { try await world.write() }
                        try await body(world)
                        group.cancelAll()
                        while let _ = await group.nextResult() {}
                    }
                }
            }
        }
    }

    private var primary: RunningMysqld { servers[current.get()] }

    private func prepare() async throws {
        try await servers[0].sql(
            "CREATE TABLE vt_commerce.account (id INT PRIMARY KEY, v BIGINT NOT NULL, pad VARCHAR(200))",
            "INSERT INTO vt_commerce.account WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(Self.accounts)) SELECT i, \(Self.total / Self.accounts), repeat('p', 150) FROM n"
        )
        try await servers[1].replicate(from: source(servers[0]))
        let base = try await pass()
        guard base.succeeded else { throw MysqldError(.start, "no first backup: \(base.standardError.suffix(2000))") }
    }

    private func source(_ server: RunningMysqld) -> ReplicationSource {
        ReplicationSource(host: "127.0.0.1", port: server.mysqld.configuration.port, user: "vt_repl", password: "")
    }

    /// Moves money between accounts, some fifty times a second, and changes the schema now and then.
    private func write() async throws {
        var number = 0
        while !Task.isCancelled {
            number += 1
            let (from, to) = (Int.random(in: 1...Self.accounts), Int.random(in: 1...Self.accounts))
            var statements = [
                "BEGIN", "UPDATE vt_commerce.account SET v = v - 7 WHERE id = \(from)",
                "UPDATE vt_commerce.account SET v = v + 7 WHERE id = \(to)", "COMMIT",
            ]
            if number % 100 == 0 {
                statements = [
                    "CREATE TABLE IF NOT EXISTS vt_commerce.t\(number % 700) (id INT PRIMARY KEY, pad LONGTEXT)",
                    "REPLACE INTO vt_commerce.t\(number % 700) VALUES (1, repeat('x', 100000))",
                    "DROP TABLE IF EXISTS vt_commerce.t\((number + 300) % 700)",
                ]
            }
            let (server, all) = (primary, statements)
            // While the primary changes, a write may be refused; all of them go over one connection.
            try? await server.withConnection { connection in
                for statement in all { _ = try await connection.query(statement) }
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func pass(
        environment: [String: String] = [:],
        started: @Sendable (Int32) async throws -> Void = { _ in }
    )
        async throws -> ProgramRun
    {
        try await shard.vtbackup(
            ["--allow-first-backup", "--min-retention-time=1ms", "--min-retention-count=2", "--shutdown-grace=20s"],
            environment: environment,
            started: started
        )
    }

    // MARK: One run

    private enum Stage: String, CaseIterable {
        case restore, catchUp, copy, commit
    }

    func run(seed: UInt64) async throws -> String {
        var generator = SeededGenerator(seed: seed ^ 0x7ea1)
        let drawn = Stage.allCases[Int(seed % 4)]
        let delay = Duration.milliseconds(Int.random(in: 0...250, using: &generator))
        let kinds = [
            "kill -9 vtbackup", "SIGTERM", "kill -9 mysqld", "data disk full", "storage full", "failover",
            "two at once",
        ]
        let kind = kinds[Int(seed % UInt64(kinds.count))]
        // While files are copied no mysqld runs.
        let stage = kind == "kill -9 mysqld" ? .catchUp : drawn
        let hit = LockedBox(false)
        let fraction = Double.random(in: 0.3...1.3, using: &generator)
        let result = try await attempt(kind, stage, delay, fraction, hit)
        var violations: [String] = []
        // What was there before is put right by the next pass, without hands.
        let next = try await pass()
        if !next.succeeded { violations.append("the next pass failed: \(lastLine(next))") }
        violations += try await brokenBackups()
        violations += try leftovers()
        let verdict = violations.isEmpty ? "ok" : "VIOLATION \(violations.joined(separator: "; "))"
        return
            "real seed=\(seed) fault=\(kind) stage=\(stage.rawValue)+\(delay) injected=\(hit.get()) result=\(result.succeeded ? "success" : lastLine(result)) \(verdict)"
    }

    private func attempt(
        _ kind: String,
        _ stage: Stage,
        _ delay: Duration,
        _ fraction: Double,
        _ hit: LockedBox<Bool>
    ) async throws -> ProgramRun {
        switch kind {
        case "data disk full":
            let needed = Double(try shard.newestManifest().builtin?.totalSizes?.raw ?? 100_000_000)
            hit.set(true)
            return try await withSmallDisk(at: shard.folder.appending("small"), bytes: Int(needed * fraction)) {
                small in
                try await pass(environment: ["VTDATAROOT": small.string])
            }
        case "storage full":
            let filler = disk.appending("filler")
            return try await withCleanup {
                try await pass { pid in
                    guard try await wait(for: stage, pid) else { return }
                    try fill(filler, leaving: Int64(fraction * 3_000_000))
                    hit.set(true)
                }
            } cleanup: {
                try FileTree.remove(filler)
            }
        case "failover":
            return try await pass { pid in
                guard try await wait(for: stage, pid) else { return }
                try await Task.sleep(for: delay)
                try await switchPrimary()
                hit.set(true)
            }
        default:
            return try await pass { pid in
                guard try await wait(for: stage, pid) else { return }
                try await Task.sleep(for: delay)
                switch kind {
                case "kill -9 vtbackup": hit.set(kill(pid, SIGKILL) == 0)
                case "SIGTERM": hit.set(kill(pid, SIGTERM) == 0)
                case "kill -9 mysqld":
                    if let server = try serverProcess() { hit.set(kill(server, SIGKILL) == 0) }
                default:
                    let second = try await pass()
                    hit.set(true)
                    if second.succeeded, isAlive(pid) { throw MysqldError(.start, "two passes at once") }
                }
            }
        }
    }

    private func lastLine(_ run: ProgramRun) -> String {
        let line = run.standardError.split(separator: "\n").last { $0.hasPrefix("E") } ?? ""
        return run.exitCode == nil ? "killed" : String(line.prefix(300))
    }

    // MARK: Where a pass is

    /// - Returns: false when the pass ended before.
    private func wait(for stage: Stage, _ pid: Int32) async throws -> Bool {
        let before = Set(try shard.backups().map(\.string))
        while isAlive(pid) {
            let tablets = (try FileTree.list(shard.dataRoot) ?? []).map { shard.dataRoot.appending($0) }
            let written = try shard.backups().filter { !before.contains($0.string) }
            let isThere =
                switch stage {
                case .restore: try tablets.contains { try FileTree.status($0.appending("restore_in_progress")) != nil }
                case .catchUp: try tablets.contains { try FileTree.status($0.appending("mysql.pid")) != nil }
                case .copy: !written.isEmpty
                case .commit: try written.contains { try FileTree.status($0.appending("MANIFEST")) != nil }
                }
            if isThere { return true }
            await pauseBetweenLooks()
        }
        return false
    }

    private func isAlive(_ pid: Int32) -> Bool {
        guard let bytes = try? FileTree.read(FilePath("/proc/\(pid)/stat"), limit: 4096) else { return false }
        return !String(decoding: bytes, as: UTF8.self).contains(") Z ")
    }

    private func serverProcess() throws -> Int32? {
        for name in try FileTree.list(shard.dataRoot) ?? [] {
            if let bytes = try FileTree.read(shard.dataRoot.appending(name).appending("mysql.pid"), limit: 64),
                let pid = Int32(String(decoding: bytes, as: UTF8.self).filter(\.isNumber))
            {
                return pid
            }
        }
        return nil
    }

    // MARK: Faults

    private func fill(_ path: FilePath, leaving free: Int64) throws {
        let space = try FileSystemSpace(of: disk)
        let file = try FileDescriptor.open(path, .writeOnly, options: [.create], permissions: .ownerReadWrite)
        try file.closeAfter {
            guard space.available > free else { return }
            guard posix_fallocate(file.rawValue, 0, Int(space.available - free)) == 0 else {
                throw FileError("fallocate", path, .noSpace)
            }
        }
    }

    /// The other server takes over without losing anything.
    private func switchPrimary() async throws {
        let (old, next) = (primary, servers[1 - current.get()])
        try await old.sql("SET GLOBAL super_read_only = ON")
        let executed = SQLText.literal(try await old.sql("SELECT @@global.gtid_executed").scalar ?? "")
        try await next.sql("SELECT wait_for_executed_gtid_set(\(executed), 3600)", "STOP REPLICA", "RESET REPLICA ALL")
        try await next.sql("SET GLOBAL super_read_only = OFF", "SET GLOBAL read_only = OFF")
        current.set(1 - current.get())
        try shard.setPrimary(port: next.mysqld.configuration.port)
        try await old.replicate(from: source(next))
    }

    // MARK: What is promised

    private func brokenBackups() async throws -> [String] {
        var broken: [String] = []
        for backup in try shard.backups() {
            let name = backup.lastComponent?.string ?? ""
            guard try FileTree.status(backup.appending("MANIFEST")) != nil, !checked.get().contains(name) else {
                continue
            }
            let check = try await Programs.run(
                Programs.root.appending("Scripts").appending("verify-backup"),
                [backup.string]
            )
            if !check.succeeded { broken.append("\(name): \(check.standardOutput.suffix(300))") }
            do {
                broken += try await shard.withRestored(name) { restored in
                    var found = try await restored.checkTables().problems
                    let sum = try await restored.sql("SELECT SUM(v) FROM vt_commerce.account").scalar
                    if sum != String(Self.total) { found.append("the accounts have \(sum ?? "nothing")") }
                    return found.map { "\(name): \($0)" }
                }
            } catch {
                broken.append("\(name) cannot be restored: \(error)")
            }
            checked.update { _ = $0.insert(name) }
        }
        return broken
    }

    private func leftovers() throws -> [String] {
        var left: [String] = []
        let tablets = try FileTree.list(shard.dataRoot) ?? []
        if !tablets.isEmpty { left.append("folders: \(tablets)") }
        if try FileTree.status(disk.appending("commerce").appending("0").appending(".vtbackup-lease")) != nil {
            left.append("a lease")
        }
        for name in try FileTree.list("/proc") ?? [] where name.allSatisfy(\.isNumber) {
            guard let bytes = try? FileTree.read(FilePath("/proc/\(name)/cmdline"), limit: 1 << 16) else { continue }
            let command = String(decoding: bytes, as: UTF8.self)
            if command.contains("mysqld"), command.contains(shard.dataRoot.string) { left.append("mysqld \(name)") }
        }
        return left
    }
}
