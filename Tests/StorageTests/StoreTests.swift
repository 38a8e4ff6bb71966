import Catalog
import NIOCore
import Storage
import TestKit
import Testing
import Vocabulary

@Suite("Storing an object", .timeLimit(.minutes(5)))
struct StoreTests {
    private let shard: ShardPath
    private let content = (0..<5000).map { UInt8(truncatingIfNeeded: $0) }

    init() throws {
        shard = try ShardPath("ks/0")
    }

    private func store(_ base: any BackupStorage) async throws -> StoredObject {
        let writer = try await base.startBackup("b", of: shard)
        return try await writer.store(.file(7), sizeHint: nil) { sink in
            for start in stride(from: 0, to: content.count, by: 1000) {
                try await sink.write(ByteBuffer(bytes: content[start..<start + 1000]))
            }
        }
    }

    @Test("gives name, size and hash of what was confirmed")
    func stored() async throws {
        let object = try await store(InMemoryStorage())
        var crc = CRC32()
        crc.update(ByteBuffer(bytes: content))
        #expect(object.name == .file(7))
        #expect(object.size == 5000)
        #expect(object.crc32 == crc.value)
    }

    @Test("of an empty object the hash is zero")
    func empty() async throws {
        let writer = try await InMemoryStorage().startBackup("b", of: shard)
        let object = try await writer.store(.file(0), sizeHint: nil) { _ in }
        #expect(object.size == 0)
        #expect(object.crc32 == 0)
    }

    struct Lie: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var fault: Fault.PutFault
    }

    @Test(
        "never returns for a store that lies",
        arguments: [
            Lie(testDescription: "the tail is dropped", fault: .cutShort(bytes: 4999)),
            Lie(testDescription: "everything is dropped", fault: .cutShort(bytes: 0)),
            Lie(testDescription: "less is confirmed", fault: .confirms(bytes: 4999)),
            Lie(testDescription: "more is confirmed", fault: .confirms(bytes: 5001)),
            Lie(testDescription: "nothing is confirmed", fault: .confirms(bytes: 0)),
            Lie(testDescription: "a negative number is confirmed", fault: .confirms(bytes: -1)),
            Lie(testDescription: "the body is never asked", fault: .skipsBody(confirms: 0)),
            Lie(testDescription: "the body is never asked, all is confirmed", fault: .skipsBody(confirms: 5000)),
        ]
    )
    func lies(_ lie: Lie) async throws {
        let faulty = FaultyStorage(InMemoryStorage(), plan: [.put(.nth(1), lie.fault)])
        let error = await #expect(throws: StorageError.self) { _ = try await store(faulty) }
        #expect(error?.code == .incompleteWrite)
        #expect(error?.message.contains("object 7 of backup b") == true)
    }

    @Test("never returns when the store took an error of the body for the end")
    func swallowedError() async throws {
        struct Stop: Error {}
        let faulty = FaultyStorage(InMemoryStorage(), plan: [.put(.every, .swallowsErrors)])
        let writer = try await faulty.startBackup("b", of: shard)
        let error = await #expect(throws: StorageError.self) {
            _ = try await writer.store(.file(0), sizeHint: nil) { sink in
                try await sink.write(ByteBuffer(bytes: [1, 2]))
                throw Stop()
            }
        }
        #expect(error?.code == .incompleteWrite)
    }

    @Test(
        "passes failures on",
        arguments: [Fault.PutFault.failsBefore, .failsAfter(bytes: 0), .failsAfter(bytes: 2500), .failsStored]
    )
    func failures(fault: Fault.PutFault) async throws {
        let faulty = FaultyStorage(InMemoryStorage(), plan: [.put(.nth(1), fault)])
        let error = await #expect(throws: StorageError.self) { _ = try await store(faulty) }
        #expect(error?.code == .unavailable)
    }

    @Test("a store that asks the body twice is hashed for its last answer")
    func askedTwice() async throws {
        let inner = try await InMemoryStorage().startBackup("b", of: shard)
        let object = try await RetryingWriter(base: inner).store(.file(0), sizeHint: nil) { sink in
            try await sink.write(ByteBuffer(bytes: content))
        }
        var crc = CRC32()
        crc.update(ByteBuffer(bytes: content))
        #expect(object.size == 5000)
        #expect(object.crc32 == crc.value)
    }

    /// Puts everything a second time, as a decorator for retries does.
    private struct RetryingWriter: BackupWriter {
        let base: any BackupWriter
        var name: String { base.name }

        func put(
            _ object: ObjectName,
            sizeHint: Int64?,
            body: (any ObjectSink) async throws -> Void
        ) async throws -> Int64 {
            _ = try await base.put(object, sizeHint: sizeHint, body: body)
            return try await base.put(object, sizeHint: sizeHint, body: body)
        }

        func commit(manifest: ByteBuffer) async throws { try await base.commit(manifest: manifest) }
        func abort() async throws { try await base.abort() }
    }
}
