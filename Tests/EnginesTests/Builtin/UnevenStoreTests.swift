import Catalog
import Compression
import Concurrency
import Host
import Logging
import MySQLControl
import NIOCore
import Storage
import Synchronization
import SystemPackage
import TestKit
import Testing
import Vocabulary

@testable import Engines

/// A store that is slow or broken for one file, and what that does to the others.
@Suite("builtin engine on an uneven store", .timeLimit(.minutes(5)))
struct UnevenStoreTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private static let files = 4

    struct Broken: Error {}

    /// Four tables of 3 MB, memory for a few chunks, and a store that asks `hook` before each write of an object.
    private func backUp(
        meter: TransferMeter = TransferMeter(),
        hook: @escaping @Sendable (ObjectName, Int) async throws -> Void,
        then body: @escaping @Sendable (DataPlane, Result<[FileEntry], any Error>) throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let tablet = TabletDirectory(path: folder.appending("t"), uid: 1)
            try tablet.create(owner: nil)
            for number in 0..<Self.files {
                let content = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 >> 8 &* number) }
                try FileTree.write(content, to: tablet.innodbData.appending("ibdata\(number)"))
            }
            try await BlockingThreads.with(count: 2) { threads in
                let plane = DataPlane(
                    threads: threads,
                    codec: RecordedCodec(.gzip(level: .isal(1))),
                    blockSize: 100_000,
                    blocksInFlight: nil,
                    concurrency: Self.files,
                    flightBudget: 2 << 20
                )
                let engine = BuiltinBackup(
                    dataPlane: plane,
                    progressInterval: .seconds(5),
                    checksPages: false,
                    logger: Self.logger
                )
                let shard = try ShardPath(keyspace: "commerce", shard: "0")
                let name = "2026-11-21.120000.zone1-0000000101"
                let writer = HookedWriter(next: try await InMemoryStorage().startBackup(name, of: shard), hook: hook)
                let result: Result<[FileEntry], any Error>
                do {
                    result = .success(
                        try await engine.copyFiles(of: StoppedServer(tablet), to: writer, meter: meter).files
                    )
                } catch {
                    result = .failure(error)
                }
                try body(plane, result)
                #expect(plane.slots.tryAcquire(plane.slots.count), "all memory is free again")
            }
        }
    }

    @Test("a stalled object holds up no other file")
    func stalled() async throws {
        let (gate, door) = AsyncStream<Void>.makeStream()
        let done = CountBox()
        try await backUp { object, write in
            if object == .file(0) {
                guard write == 3 else { return }
                // Opens when the others have been stored whole: if they waited for this one, nobody would ever open it.
                for await _ in gate {}
                try Task.checkCancellation()
            } else if write == 30 {
                if done.increase() == Self.files - 1 { door.finish() }
            }
        } then: { _, result in
            let entries = try result.get()
            #expect(entries.count == Self.files)
        }
    }

    @Test("an object that cannot be written stops all others, wherever they are")
    func broken() async throws {
        let (never, door) = AsyncStream<Void>.makeStream()
        let attempts = CountBox()
        try await backUp { object, write in
            if object == .file(2) {
                _ = attempts.increase()
                throw Broken()
            }
            guard write == 2 else { return }
            // Only cancellation ends this wait.
            for await _ in never {}
            try Task.checkCancellation()
        } then: { _, result in
            let error = #expect(throws: EngineError.self) { try result.get() }
            #expect(error?.code == .copyFailed)
            #expect(error?.message.contains("as object 2 of backup") == true)
            #expect(attempts.count == 2)
        }
        door.finish()
    }
}

private final class CountBox: Sendable {
    private let value = Mutex(0)

    var count: Int { value.withLock { $0 } }

    func increase() -> Int {
        value.withLock { value in
            value += 1
            return value
        }
    }
}

/// Asks before each write: object, and number of the write, from 1.
private struct HookedWriter: BackupWriter {
    let next: any BackupWriter
    let hook: @Sendable (ObjectName, Int) async throws -> Void

    var name: String { next.name }

    func put(_ object: ObjectName, sizeHint: Int64?, body: (any ObjectSink) async throws -> Void) async throws -> Int64
    {
        try await next.put(object, sizeHint: sizeHint) { sink in
            try await body(HookedSink(next: sink, object: object, writes: CountBox(), hook: hook))
        }
    }

    func commit(manifest: ByteBuffer) async throws { try await next.commit(manifest: manifest) }

    func abort() async throws { try await next.abort() }
}

private struct HookedSink: ObjectSink {
    let next: any ObjectSink
    let object: ObjectName
    let writes: CountBox
    let hook: @Sendable (ObjectName, Int) async throws -> Void

    func write(_ bytes: ByteBuffer) async throws {
        try await hook(object, writes.increase())
        try await next.write(bytes)
    }
}
