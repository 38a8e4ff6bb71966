import Catalog
import FoundationEssentials
import NIOCore
import Positions
import Storage
import TestKit
import Testing
import Vocabulary

@testable import Workflows

/// What pruning does to a store that refuses something.
@Suite("pruning", .timeLimit(.minutes(5)))
struct PruningTests {
    private static let names = (1...5).map { "2026-03-0\($0).000000.zone1-0000000100" }
    private let shard: ShardPath
    private let storage = InMemoryStorage()
    private let lines = LogLines()
    private let now: Date

    init() throws {
        shard = try ShardPath("commerce/0")
        now = try #require(BackupTimestamp.parse(rfc3339: "2026-03-10T00:00:00Z"))
    }

    private func position(_ last: Int) throws -> Position {
        try Position("8e50f450-eb92-11f1-b201-02fc00000001:1-\(last)", flavor: .mysql56)
    }

    private func add(_ name: String, at last: Int, from base: Int? = nil) async throws {
        var manifest = Manifest()
        manifest.backupName = name
        manifest.position = try position(last)
        if let base {
            manifest.fromPosition = try position(base)
            manifest.incremental = true
        }
        manifest.builtin = Manifest.Builtin()
        let writer = try await storage.startBackup(name, of: shard)
        try await writer.commit(manifest: ByteBuffer(bytes: manifest.encoded()))
    }

    private func prune(_ storage: any BackupStorage, taken: String? = nil) async throws {
        let backups = KnownBackups(ShardBackups(shard: shard, storage: storage))
        try await pruning(storage).run(backups, now: now, taken: taken)
    }

    private func pruning(_ storage: any BackupStorage) -> Pruning {
        var policy = Retention.Policy()
        policy.minimumTime = 3_600
        return Pruning(
            backups: ShardBackups(shard: shard, storage: storage),
            policy: policy,
            logger: lines.logger
        )
    }

    @Test("a removal that fails does not stop the others, and is told at the end")
    func oneFails() async throws {
        for (index, name) in Self.names.enumerated() { try await add(name, at: 10 + index) }
        let faulty = FaultyStorage(storage, plan: [.remove(.nth(1), .before), .remove(.nth(3), .before)])
        let error = await #expect(throws: WorkflowError.self) { try await prune(faulty) }
        // Newest first: the first and the third.
        #expect(try await storage.listBackups(of: shard) == [Self.names[1], Self.names[3], Self.names[4]])
        #expect(error?.message.contains(Self.names[3]) == true)
        #expect(error?.message.contains("nor \(Self.names[1])") == true)
        #expect(faulty.count(.remove) == 4)
        try await prune(storage)
        #expect(try await storage.listBackups(of: shard) == [Self.names[4]])
    }

    @Test("what a backup that could not be removed is built on stays with it")
    func basesStay() async throws {
        try await add(Self.names[0], at: 10)
        try await add(Self.names[1], at: 20, from: 10)
        try await add(Self.names[2], at: 15)
        try await add(Self.names[4], at: 30)
        let faulty = FaultyStorage(storage, plan: [.remove(.nth(2), .before)])
        await #expect(throws: WorkflowError.self) { try await prune(faulty) }
        #expect(try await storage.listBackups(of: shard) == [Self.names[0], Self.names[1], Self.names[4]])
        #expect(lines.all.contains { $0.contains("Keeping backup \(Self.names[0]): what is built on it") })
    }

    @Test("what this pass took is never removed, whatever counts as newer")
    func taken() async throws {
        try await add(Self.names[0], at: 20)
        try await add("2028-03-01.000000.zone1-0000000100", at: 20)
        try await prune(storage, taken: Self.names[0])
        #expect(try await storage.listBackups(of: shard).count == 2)
    }

    @Test("what is no backup by its name is listed as such, never opened, and keeps nothing from working")
    func foreignNames() async throws {
        try await add(Self.names[0], at: 10)
        try await add(Self.names[1], at: 20)
        for name in [".snapshot", "lost+found", "caf\u{fffd}"] {
            _ = try await storage.startBackup(name, of: shard)
        }
        let faulty = FaultyStorage(storage)
        let listed = try await ShardBackups(shard: shard, storage: faulty).load()
        #expect(faulty.count(.open) == 2)
        #expect(listed.filter(\.isForeign).map(\.name) == [".snapshot", "caf\u{fffd}", "lost+found"])
        #expect(listed.filter(\.isForeign).allSatisfy { $0.problem?.hasPrefix("not a backup") == true })
        try await prune(faulty)
        #expect(try await storage.listBackups(of: shard) == [".snapshot", Self.names[1], "caf\u{fffd}", "lost+found"])
        #expect(!lines.all.contains { $0.contains("incomplete backup lost+found") })
    }
}
