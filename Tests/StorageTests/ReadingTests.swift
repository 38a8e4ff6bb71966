import Catalog
import NIOCore
import Storage
import TestKit
import Testing
import Vocabulary

@Suite("Reading small objects and manifests", .timeLimit(.minutes(5)))
struct ReadingTests {
    private let shard: ShardPath
    private let storage = InMemoryStorage()

    init() throws {
        shard = try ShardPath("ks/0")
    }

    @Test("an object of at most the limit is read whole, a longer one not at all", arguments: [0, 1, 70_000])
    func limit(size: Int) async throws {
        let writer = try await storage.startBackup("b", of: shard)
        let content = [UInt8](repeating: 3, count: size)
        _ = try await writer.store(.file(0), sizeHint: nil) { try await $0.write(ByteBuffer(bytes: content)) }
        let reader = try storage.backup("b", of: shard)
        #expect(try await reader.read(.file(0), limit: size) == content)
        if size > 0 {
            let error = await #expect(throws: StorageError.self) {
                _ = try await reader.read(.file(0), limit: size - 1)
            }
            #expect(error?.message.contains("larger than \(size - 1) bytes") == true)
        }
    }

    @Test("a committed manifest makes a backup complete")
    func complete() async throws {
        var manifest = Manifest()
        manifest.backupName = "2026-03-27.101500.zone1-0000000102"
        let writer = try await storage.startBackup("b", of: shard)
        try await writer.commit(manifest: ByteBuffer(bytes: manifest.encoded()))
        guard case .complete(let found) = try await storage.backup("b", of: shard).manifest() else {
            Issue.record("the backup is complete")
            return
        }
        #expect(found.backupName == manifest.backupName)
    }

    @Test("without a manifest, or with one that cannot be read, it is incomplete, with the reason")
    func incomplete() async throws {
        let writer = try await storage.startBackup("b", of: shard)
        let reader = try storage.backup("b", of: shard)
        #expect(try await reader.manifest() == .incomplete("no object MANIFEST in backup b"))
        try await writer.commit(manifest: ByteBuffer(string: "{\"BackupName\": \"b\", \"Comp"))
        guard case .incomplete(let reason) = try await reader.manifest() else {
            Issue.record("half a manifest is none")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test("a store that cannot tell is an error, not an incomplete backup")
    func unavailable() async throws {
        try await storage.startBackup("b", of: shard).commit(manifest: ByteBuffer(string: "{}"))
        for fault in [Fault.open(.nth(1)), .read(.nth(1), .failsAfter(bytes: 1))] {
            let reader = try FaultyStorage(storage, plan: [fault]).backup("b", of: shard)
            let error = await #expect(throws: StorageError.self) { _ = try await reader.manifest() }
            #expect(error?.code == .unavailable)
        }
    }

    @Test("a manifest that ends too early is incomplete")
    func truncated() async throws {
        try await storage.startBackup("b", of: shard).commit(manifest: ByteBuffer(bytes: Manifest().encoded()))
        let reader = try FaultyStorage(storage, plan: [.read(.every, .truncated(bytes: 20))]).backup("b", of: shard)
        guard case .incomplete = try await reader.manifest() else {
            Issue.record("20 bytes are no manifest")
            return
        }
    }
}
