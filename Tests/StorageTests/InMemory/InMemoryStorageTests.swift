import NIOCore
import Storage
import Testing
import Vocabulary

@Suite("In-memory storage", .timeLimit(.minutes(5)))
struct InMemoryStorageTests {
    @Test("can be damaged behind its back, as a disk can")
    func tamper() async throws {
        let (storage, shard) = (InMemoryStorage(), try ShardPath("ks/0"))
        let writer = try await storage.startBackup("b", of: shard)
        _ = try await writer.put(.file(0), sizeHint: nil) { try await $0.write(ByteBuffer(string: "good")) }
        let reader = try storage.backup("b", of: shard)
        storage.tamper(.file(0), of: "b", in: shard, with: ByteBuffer(string: "bad"))
        #expect(try await reader.read(.file(0), limit: 10) == Array("bad".utf8))
        #expect(storage.object(.file(0), of: "b", in: shard) == ByteBuffer(string: "bad"))
        storage.tamper(.file(0), of: "b", in: shard, with: nil)
        let error = await #expect(throws: StorageError.self) { _ = try await reader.read(.file(0), limit: 10) }
        #expect(error?.code == .notFound)
    }
}
