import Catalog
import FoundationEssentials
import NIOCore
import Positions
import Storage
import TestKit
import Testing
import Vocabulary

@testable import Workflows

/// What a pass knows of the shard's backups, and what each counts as by it.
@Suite("what is known of backups", .timeLimit(.minutes(5)))
struct KnownBackupsTests {
    private static let names = ["2026-03-25", "2026-03-26", "2026-03-27"].map { "\($0).101500.zone1-0000000100" }
    private let storage = InMemoryStorage()
    private let shard: ShardPath

    init() throws { shard = try ShardPath("commerce/0") }

    private func add(_ name: String) async throws {
        let writer = try await storage.startBackup(name, of: shard)
        var manifest = Manifest()
        manifest.position = .mysql56(GTIDSet())
        try await writer.commit(manifest: ByteBuffer(bytes: manifest.encoded()))
    }

    private func fill() async throws -> (FaultyStorage, KnownBackups) {
        for name in Self.names { try await add(name) }
        let storage = FaultyStorage(storage)
        return (storage, KnownBackups(ShardBackups(shard: shard, storage: storage)))
    }

    private func bad() -> VerificationRecord {
        var record = VerificationRecord(result: .bad, time: .now, seconds: 1, files: 1, bytes: 1)
        record.reason = "a table is damaged"
        return record
    }

    @Test("a MANIFEST is read once, however often a pass looks")
    func once() async throws {
        let (storage, known) = try await fill()
        try await known.refresh()
        #expect(storage.count(.open) == 3)
        try await known.refresh(rereadsNotes: true)
        known.reject(Self.names[2], because: "it does not fit its hash")
        try await add("2026-03-28.101500.zone1-0000000100")
        try await known.refresh()
        #expect(storage.count(.open) == 4)
        #expect(known.list.map(\.objection) == [nil, nil, "it does not fit its hash", nil])
    }

    @Test("what others have noted meanwhile counts when notes are read again")
    func notes() async throws {
        let (storage, known) = try await fill()
        try await known.refresh()
        #expect(known.list.allSatisfy { $0.manifest != nil })
        try await ShardBackups(shard: shard, storage: storage).leave(bad(), at: Self.names[2])
        try await known.refresh()
        #expect(known.list[2].manifest != nil)
        try await known.refresh(rereadsNotes: true)
        #expect(known.list[2].manifest == nil && known.list[2].storedManifest != nil)
        #expect(known.list[2].objection?.contains("a table is damaged") == true)
    }

    @Test(
        "one that did not verify, and one of which that cannot be read, are neither fresh nor kept in place of others"
    )
    func counting() async throws {
        let older = ListedBackup(name: Self.names[1], state: .complete(Manifest()))
        var newest = ListedBackup(name: Self.names[2], state: .complete(Manifest()))
        let now = try #require(newest.time).addingTimeInterval(86_400)
        var policy = Retention.Policy()
        policy.minimumTime = 3_600
        #expect(Retention([older, newest], policy: policy, now: now).removals.map(\.name) == [older.name])
        for (verification, isBase) in [
            (.record(bad()), false), (.unreadable("503"), true),
        ] as [(ListedBackup.Known<VerificationRecord>, Bool)] {
            newest.verification = verification
            #expect(Freshness.newest(of: [older, newest], now: now)?.name == older.name)
            #expect(Retention([older, newest], policy: policy, now: now).removals.isEmpty)
            // Whoever restores it sees by the hashes, unless it is proven to be bad.
            #expect((newest.asBase.manifest != nil) == isBase)
        }
    }
}
