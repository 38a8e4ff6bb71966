import Catalog
import Concurrency
import FoundationEssentials
import NIOCore
import Storage
import Testing
import Vocabulary

@testable import TestKit
@testable import Workflows

/// A base that restores, and from which the primary cannot be caught up with.
@Suite("a base that cannot be caught up with", .timeLimit(.minutes(5)))
struct BaseFallbackTests {
    /// A shard with two backups, and more transactions since.
    private func withTwoBackups(_ body: (SimulatedRun) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            try await BlockingThreads.with(count: 2) { threads in
                let run = try SimulatedRun(seed: 2, folder: folder, threads: threads, isHasty: false)
                for _ in 0..<2 { try await passLater(run) }
                try await body(run)
            }
        }
    }

    private func passLater(_ run: SimulatedRun, _ faults: [ServerFault] = []) async throws {
        try run.shard.writeTransactions(50)
        run.shard.pass(.seconds(600))
        try await run.pass(run.store, faults: FaultLog(faults))
    }

    private func record(_ run: SimulatedRun, _ name: String) async throws -> CatchUpRecord? {
        try await ShardBackups(shard: run.shard.path, storage: run.store).catchUpFailure(of: name)
    }

    private func restored(_ run: SimulatedRun) -> [String] {
        run.log.all.filter { $0.contains("found latest backup") }
    }

    @Test("an applier that fails is tried once more with the older base, and the newer one is noted, not lowered")
    func fallsBack() async throws {
        try await withTwoBackups { run in
            let before = try await run.names()
            try await passLater(run, [.baseCannotCatchUp(errno: 1146)])
            let after = try await run.names()
            #expect(after.count == 3)
            #expect(restored(run).suffix(2).first?.contains(before[1]) == true)
            #expect(restored(run).last?.contains(before[0]) == true)
            let record = try #require(try await record(run, before[1]))
            #expect(record.reason.contains("errno 1146"))
            #expect(try await self.record(run, before[0]) == nil)
            // It counts among those to keep, and is restored when somebody asks for it.
            let backups = ShardBackups(shard: run.shard.path, storage: run.store)
            #expect(try await backups.load().count { $0.manifest != nil && $0.objection == nil } == 3)
        }
    }

    @Test("a pass falls back once; the next one begins with the base that nobody has failed with")
    func onceAPass() async throws {
        try await withTwoBackups { run in
            try await passLater(run)
            let names = try await run.names()
            await #expect(throws: WorkflowError.self) { try await passLater(run, [.applierFails(errno: 1032)]) }
            #expect(restored(run).suffix(2).map { line in names.firstIndex { line.contains($0) } } == [2, 1])
            let first = try #require(try await record(run, names[2]))
            #expect(try await record(run, names[0]) == nil)

            // All of them fail: the newest is tried again then, and keeps the moment of its first failure.
            await #expect(throws: WorkflowError.self) { try await passLater(run, [.applierFails(errno: 1032)]) }
            #expect(restored(run).suffix(2).map { line in names.firstIndex { line.contains($0) } } == [0, 2])
            let again = try #require(try await record(run, names[2]))
            #expect(again.since == first.since)
            #expect(again.last > first.last)

            // Set right on the primary: no hand work is needed, and the note goes.
            try await passLater(run)
            #expect(try await record(run, names[2]) == nil)
        }
    }

    @Test("what the machine is to blame for is no reason to fall back", arguments: [1114, 1205, 13_121])
    func machine(errno: Int) async throws {
        try await withTwoBackups { run in
            let count = restored(run).count
            await #expect(throws: WorkflowError.self) { try await passLater(run, [.applierFails(errno: errno)]) }
            #expect(restored(run).count == count + 1)
            let names = try await run.names()
            #expect(try await record(run, names[1]) == nil)
        }
    }

    @Test("a base that is beyond our limits is passed over with the way out, and nothing is noted against it")
    func unsupported() async throws {
        try await withTwoBackups { run in
            let before = try await run.names()
            let newest = try #require(before.last)
            // A frame with a window of 1 GiB in the place of every object.
            let frame: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa0, 0x01, 0x00, 0x00]
            let path = run.shard.path
            guard case .complete(var manifest) = try await run.store.backup(newest, of: path).manifest() else {
                Issue.record("no manifest")
                return
            }
            let later = try BackupName(newest)
            let name = try BackupName(time: later.time.addingTimeInterval(1), alias: later.alias).description
            let writer = try await run.store.startBackup(name, of: path)
            manifest.builtin?.compressionEngine = "zstd"
            manifest.builtin?.skipCompress = false
            for index in manifest.builtin?.files.indices ?? 0..<0 {
                _ = try await writer.put(.file(index), sizeHint: nil) { try await $0.write(ByteBuffer(bytes: frame)) }
            }
            try await writer.commit(manifest: ByteBuffer(bytes: manifest.encoded()))

            try await passLater(run)
            #expect(restored(run).suffix(2).map { $0.contains(name) } == [true, false])
            let line = try #require(run.log.all.first { $0.contains("CANNOT BE USED") })
            #expect(line.contains(name) && line.contains("window of 1024 MiB") && line.contains("HINT: write"))
            let backups = ShardBackups(shard: path, storage: run.store)
            #expect(try await backups.verification(of: name) == nil)
        }
    }

    @Test("purged binary logs are told before anything is restored, with what to do")
    func purged() async throws {
        try await withTwoBackups { run in
            let count = restored(run).count
            try run.shard.writeTransactions(10)
            run.shard.purge()
            let error = await #expect(throws: WorkflowError.self) { try await passLater(run) }
            let text = error?.description ?? ""
            #expect(text.contains("no longer has the binary logs since the backup"), "\(text)")
            #expect(text.contains("HINT: back up a replica"))
            #expect(restored(run).count == count)
        }
    }

    @Test("a base that lacks what was purged is never taken, also not as the older one")
    func partlyPurged() async throws {
        try await withTwoBackups { run in
            // What the newest holds is purged; the older one is behind it, and cannot take its place.
            run.shard.purge()
            let names = try await run.names()
            await #expect(throws: WorkflowError.self) { try await passLater(run, [.baseCannotCatchUp(errno: 1146)]) }
            #expect(restored(run).last?.contains(names[1]) == true)
            try await passLater(run)
            #expect(restored(run).last?.contains(names[1]) == true)
        }
    }
}
