import Catalog
import NIOCore
import Storage
import Synchronization
import TestKit
import Testing
import Vocabulary

@Suite("Metered storage", .timeLimit(.minutes(5)))
struct MeteredStorageTests {
    private final class Meter: Sendable {
        private let pieces = Mutex<[MeteredStorage.Traffic]>([])

        var written: [Int] {
            pieces.withLock { $0.compactMap { if case .written(let count) = $0 { count } else { nil } } }
        }

        var read: [Int] {
            pieces.withLock { $0.compactMap { if case .read(let count) = $0 { count } else { nil } } }
        }

        func note(_ traffic: MeteredStorage.Traffic) {
            pieces.withLock { $0.append(traffic) }
        }
    }

    private let shard: ShardPath

    init() throws {
        shard = try ShardPath("ks/0")
    }

    @Test("counts every piece that was written or read, and the manifest")
    func counts() async throws {
        let meter = Meter()
        let storage = MeteredStorage(InMemoryStorage()) { meter.note($0) }
        let writer = try await storage.startBackup("b", of: shard)
        _ = try await writer.store(.file(0), sizeHint: nil) { sink in
            try await sink.write(ByteBuffer(string: "12345"))
            try await sink.write(ByteBuffer(string: "678"))
        }
        #expect(meter.written == [5, 3])
        try await writer.commit(manifest: ByteBuffer(string: "{}"))
        #expect(meter.written == [5, 3, 2])
        #expect(meter.read.isEmpty)
        _ = try await storage.backup("b", of: shard).read(.file(0), limit: 100)
        #expect(meter.read.reduce(0, +) == 8)
        #expect(meter.written == [5, 3, 2])
    }

    @Test("counts only what the store has taken")
    func failures() async throws {
        let meter = Meter()
        let faulty = FaultyStorage(
            InMemoryStorage(),
            plan: [
                .put(.nth(1), .failsAfter(bytes: 5)), .commit(.nth(1), .before), .read(.nth(1), .failsAfter(bytes: 1)),
            ]
        )
        let storage = MeteredStorage(faulty) { meter.note($0) }
        let writer = try await storage.startBackup("b", of: shard)
        await #expect(throws: StorageError.self) {
            _ = try await writer.put(.file(0), sizeHint: nil) { sink in
                try await sink.write(ByteBuffer(string: "12345"))
                try await sink.write(ByteBuffer(string: "678"))
            }
        }
        await #expect(throws: StorageError.self) { try await writer.commit(manifest: ByteBuffer(string: "{}")) }
        #expect(meter.written == [5])
        _ = try await writer.put(.file(1), sizeHint: nil) { try await $0.write(ByteBuffer(string: "ab")) }
        await #expect(throws: StorageError.self) {
            _ = try await storage.backup("b", of: shard).read(.file(1), limit: 10)
        }
        #expect(meter.read == [1])
    }
}
