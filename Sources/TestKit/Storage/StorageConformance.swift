import Concurrency
import NIOCore
package import Storage
import Synchronization
import Testing
import Vocabulary

/// The contract of ``BackupStorage``, sentence by sentence. Every implementation runs it, the in-memory one included:
/// ```swift
/// try await StorageConformance.verify { InMemoryStorage() }
/// ```
/// or, one test case per sentence, with `@Test(arguments: StorageConformance.checks)`.
package enum StorageConformance {
    /// One sentence of the contract.
    package struct Check: Sendable, CustomTestStringConvertible {
        package let testDescription: String
        private let body: @Sendable (any BackupStorage) async throws -> Void

        init(_ testDescription: String, _ body: @escaping @Sendable (any BackupStorage) async throws -> Void) {
            (self.testDescription, self.body) = (testDescription, body)
        }

        /// Checks a fresh, empty store.
        package func verify(_ storage: any BackupStorage) async throws { try await body(storage) }
    }

    /// Runs all checks, each on a fresh store.
    package static func verify(_ makeStorage: @Sendable () async throws -> any BackupStorage) async throws {
        for check in checks { try await check.verify(try await makeStorage()) }
    }

    /// All sentences.
    package static let checks = names + objects + completeness + failures + notes

    // MARK: Notes

    private static let notes = [
        Check("a note is written when what is expected is there, and only then") { storage in
            let place = Note.Place(.lease, of: try ShardPath("ks/0"))
            #expect(try await storage.note(at: place) == nil)
            await expect(.conflict, "replace nothing") {
                _ = try await storage.writeNote([1], at: place, expecting: .version("x"))
            }
            let first = try await storage.writeNote([1], at: place, expecting: .nothing)
            #expect(try await storage.note(at: place) == Note(bytes: [1], version: first))
            await expect(.conflict, "second first") {
                _ = try await storage.writeNote([2], at: place, expecting: .nothing)
            }
            let second = try await storage.writeNote([2], at: place, expecting: .version(first))
            await expect(.conflict, "stale replace") {
                _ = try await storage.writeNote([3], at: place, expecting: .version(first))
            }
            await expect(.conflict, "stale remove") {
                try await storage.removeNote(at: place, expecting: .version(first))
            }
            #expect(try await storage.note(at: place)?.bytes == [2])
            try await storage.removeNote(at: place, expecting: .version(second))
            #expect(try await storage.note(at: place) == nil)
            try await storage.removeNote(at: place, expecting: .anything)
        },
        Check("of many who write the first note, one succeeds") { storage in
            let place = Note.Place(.lease, of: try ShardPath("ks/0"))
            let winners = Mutex(0)
            try await forEach(in: Array(0..<16), atMost: 16) { index in
                do {
                    _ = try await storage.writeNote([UInt8(index)], at: place, expecting: .nothing)
                    winners.withLock { $0 += 1 }
                } catch let error as StorageError where error.code == .conflict {}
            }
            #expect(winners.withLock { $0 } == 1)
        },
        Check("a note is no backup, goes with its backup, and needs it") { storage in
            let shard = try ShardPath("ks/0")
            _ = try await storage.writeNote([1], at: Note.Place(.lease, of: shard), expecting: .nothing)
            #expect(try await storage.listBackups(of: shard).isEmpty)
            let place = Note.Place(.verification, of: shard, backup: "b")
            await expect(.notFound, "note of no backup") {
                _ = try await storage.writeNote([1], at: place, expecting: .anything)
            }
            try await put([1], "0", in: try await storage.startBackup("b", of: shard))
            _ = try await storage.writeNote([2], at: place, expecting: .nothing)
            #expect(try await storage.note(at: place)?.bytes == [2])
            try await storage.removeBackup("b", of: shard)
            #expect(try await storage.note(at: place) == nil)
            await expect(.invalidName, "note outside") {
                _ = try await storage.note(at: Note.Place(.lease, of: shard, backup: "../x"))
            }
        },
    ]

    // MARK: Names

    private static let names = [
        Check("a shard that was never written to lists nothing") { storage in
            let listed = try await storage.listBackups(of: ShardPath("commerce/0"))
            #expect(listed.isEmpty)
        },
        Check("names are opaque, used verbatim and listed in byte order") { storage in
            let shard = try ShardPath("commerce/-80")
            let names = ["b", "a", "10", "9", "Z", "2026-03-27.101500.zone1-0000000102", "not a backup", "ä", "_", "-"]
            for name in names { try await put([1], "0", in: try await storage.startBackup(name, of: shard)) }
            let sorted = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            #expect(try await storage.listBackups(of: shard) == sorted)
            for name in names { #expect(try await bytes("0", of: storage.backup(name, of: shard)) == [1]) }
        },
        Check("shards and backups whose names begin alike are kept apart") { storage in
            for path in ["ks/0", "ks/00", "ks-1/0"] {
                for name in ["b1", "b10"] {
                    let writer = try await storage.startBackup(name, of: ShardPath(path))
                    #expect(writer.name == name)
                    try await put(Array("\(path)/\(name)".utf8), "0", in: writer)
                }
            }
            try await storage.removeBackup("b1", of: ShardPath("ks/0"))
            #expect(try await storage.listBackups(of: ShardPath("ks/0")) == ["b10"])
            for path in ["ks/00", "ks-1/0"] {
                #expect(try await storage.listBackups(of: ShardPath(path)) == ["b1", "b10"])
                let reader = try storage.backup("b1", of: ShardPath(path))
                #expect(try await bytes("0", of: reader) == Array("\(path)/b1".utf8))
            }
        },
        Check("a name that is no single path component is refused everywhere") { storage in
            let shard = try ShardPath("ks/0")
            for name in ["", ".", "..", "a/b", "../x", "/etc", "a/", "a/..", "./a", "a\0b"] {
                await expect(.invalidName, "start \(name)") { _ = try await storage.startBackup(name, of: shard) }
                await expect(.invalidName, "read \(name)") { _ = try storage.backup(name, of: shard) }
                await expect(.invalidName, "remove \(name)") { try await storage.removeBackup(name, of: shard) }
            }
            #expect(try await storage.listBackups(of: shard).isEmpty)
        },
        Check("a backup of a name that is there is not started again") { storage in
            let shard = try ShardPath("ks/0")
            try await put([1, 2, 3], "0", in: try await storage.startBackup("b", of: shard))
            await expect(.alreadyExists, "second start") { _ = try await storage.startBackup("b", of: shard) }
            #expect(try await bytes("0", of: storage.backup("b", of: shard)) == [1, 2, 3])
        },
    ]

    // MARK: Objects

    private static let objects = [
        Check("an object holds what was written, however it was cut") { storage in
            let writer = try await storage.startBackup("b", of: ShardPath("ks/0"))
            let reader = try storage.backup("b", of: ShardPath("ks/0"))
            for (index, pieces) in [[], [0], [1], [1, 0, 1], [70_000, 1], [1 << 20, 1 << 20, 77]].enumerated() {
                let content = (0..<pieces.reduce(0, +)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ index) }
                let name = ObjectName.file(index)
                let count = try await writer.put(name, sizeHint: nil) { sink in
                    var rest = content[...]
                    for piece in pieces {
                        try await sink.write(ByteBuffer(bytes: rest.prefix(piece)))
                        rest = rest.dropFirst(piece)
                    }
                }
                #expect(count == Int64(content.count))
                #expect(try await bytes(name.description, of: reader) == content)
            }
        },
        Check("a source gives no empty piece, and nothing more after the end") { storage in
            try await put(
                [UInt8](repeating: 9, count: 200_000),
                "0",
                in: storage.startBackup("b", of: ShardPath("ks/0"))
            )
            try await storage.backup("b", of: ShardPath("ks/0")).withObject(.file(0)) { source in
                var total = 0
                while let piece = try await source.next() {
                    #expect(piece.readableBytes > 0)
                    total += piece.readableBytes
                }
                #expect(total == 200_000)
                #expect(try await source.next() == nil)
            }
        },
        Check("putting a name again replaces the whole object") { storage in
            let writer = try await storage.startBackup("b", of: ShardPath("ks/0"))
            try await put([UInt8](repeating: 1, count: 1000), "0", in: writer)
            try await put([2], "0", in: writer)
            #expect(try await bytes("0", of: storage.backup("b", of: ShardPath("ks/0"))) == [2])
        },
        Check("what is not there is not found, and only reading tells") { storage in
            let shard = try ShardPath("ks/0")
            let absent = try storage.backup("absent", of: shard)
            #expect(absent.name == "absent")
            await expect(.notFound, "object of no backup") { _ = try await bytes("0", of: absent) }
            try await put([1], "0", in: try await storage.startBackup("b", of: shard))
            let reader = try storage.backup("b", of: shard)
            await expect(.notFound, "object that was not put") { _ = try await bytes("1", of: reader) }
        },
        Check("objects of one backup and backups of one shard may be written at once") { storage in
            let shard = try ShardPath("new/0")
            try await forEach(in: 0..<4, atMost: 4) { backup in
                let writer = try await storage.startBackup("b\(backup)", of: shard)
                try await forEach(in: 0..<8, atMost: 8) {
                    try await put([UInt8(backup), UInt8($0)], "\($0)", in: writer)
                }
            }
            #expect(try await storage.listBackups(of: shard) == ["b0", "b1", "b2", "b3"])
            try await forEach(in: 0..<32, atMost: 8) { number in
                let (backup, object) = (number / 8, number % 8)
                let found = try await bytes("\(object)", of: storage.backup("b\(backup)", of: shard))
                #expect(found == [UInt8(backup), UInt8(object)])
            }
        },
    ]

    // MARK: Completeness and removal

    private static let completeness = [
        Check("a backup is complete when it has been committed, and not before") { storage in
            let shard = try ShardPath("ks/0")
            let writer = try await storage.startBackup("b", of: shard)
            let reader = try storage.backup("b", of: shard)
            try await put([1], "0", in: writer)
            await expect(.notFound, "before") { _ = try await bytes("MANIFEST", of: reader) }
            try await writer.commit(manifest: ByteBuffer(string: "{\"BackupName\": \"b\"}"))
            #expect(try await bytes("MANIFEST", of: reader) == Array("{\"BackupName\": \"b\"}".utf8))
            #expect(try await bytes("0", of: reader) == [1])
            #expect(try await storage.listBackups(of: shard) == ["b"])
        },
        Check("nothing but a commit creates a MANIFEST") { storage in
            let writer = try await storage.startBackup("b", of: ShardPath("ks/0"))
            await expect(.invalidName, "put") { try await put([1], "MANIFEST", in: writer) }
            let reader = try storage.backup("b", of: ShardPath("ks/0"))
            await expect(.notFound, "read") { _ = try await bytes("MANIFEST", of: reader) }
        },
        Check("a removed backup is gone, others stay, and removing nothing is no error") { storage in
            let shard = try ShardPath("ks/0")
            try await storage.removeBackup("b", of: shard)
            for name in ["a", "b"] {
                let writer = try await storage.startBackup(name, of: shard)
                try await put([1], "0", in: writer)
                try await writer.commit(manifest: ByteBuffer(string: "{}"))
            }
            try await storage.removeBackup("b", of: shard)
            try await storage.removeBackup("b", of: shard)
            #expect(try await storage.listBackups(of: shard) == ["a"])
            let reader = try storage.backup("b", of: shard)
            for object in ["0", "MANIFEST"] {
                await expect(.notFound, object) { _ = try await bytes(object, of: reader) }
            }
            try await put([2], "0", in: try await storage.startBackup("b", of: shard))
            #expect(try await bytes("0", of: reader) == [2])
        },
        Check("an aborted backup is gone, and nothing can be added to it") { storage in
            let shard = try ShardPath("ks/0")
            let writer = try await storage.startBackup("b", of: shard)
            try await put([1], "0", in: writer)
            try await writer.abort()
            try await writer.abort()
            #expect(try await storage.listBackups(of: shard).isEmpty)
            await #expect(throws: (any Error).self) { try await put([1], "1", in: writer) }
            await #expect(throws: (any Error).self) { try await writer.commit(manifest: ByteBuffer(string: "{}")) }
            #expect(try await storage.listBackups(of: shard).isEmpty)
        },
    ]

    // MARK: Failure and cancellation

    private struct Stop: Error {}

    private static let failures = [
        Check("an object whose writing failed is not stored") { storage in
            let writer = try await storage.startBackup("b", of: ShardPath("ks/0"))
            await #expect(throws: Stop.self) {
                _ = try await writer.put(.file(0), sizeHint: 100) { sink in
                    try await sink.write(ByteBuffer(bytes: [1, 2, 3]))
                    throw Stop()
                }
            }
            let reader = try storage.backup("b", of: ShardPath("ks/0"))
            await expect(.notFound, "read") { _ = try await bytes("0", of: reader) }
            try await put([4], "0", in: writer)
            #expect(try await bytes("0", of: reader) == [4])
        },
        Check("a failed replacement leaves the old object whole, or none") { storage in
            let writer = try await storage.startBackup("b", of: ShardPath("ks/0"))
            try await put([1, 2, 3], "0", in: writer)
            await #expect(throws: Stop.self) {
                _ = try await writer.put(.file(0), sizeHint: nil) { sink in
                    try await sink.write(ByteBuffer(bytes: [9]))
                    throw Stop()
                }
            }
            do {
                #expect(try await bytes("0", of: storage.backup("b", of: ShardPath("ks/0"))) == [1, 2, 3])
            } catch let error as StorageError {
                #expect(error.code == .notFound)
            }
        },
        Check("a cancelled put ends and leaves no object") { storage in
            let writer = try await storage.startBackup("b", of: ShardPath("ks/0"))
            let (writing, write) = AsyncStream.makeStream(of: Void.self)
            let task = Task {
                _ = try await writer.put(.file(0), sizeHint: nil) { sink in
                    try await sink.write(ByteBuffer(bytes: [1]))
                    write.finish()
                    while !Task.isCancelled { await Task.yield() }
                    try Task.checkCancellation()
                }
            }
            for await _ in writing {}
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            let reader = try storage.backup("b", of: ShardPath("ks/0"))
            await expect(.notFound, "read") { _ = try await bytes("0", of: reader) }
        },
        Check("a reader that stops early gets its own error, and the object stays") { storage in
            try await put(
                [UInt8](repeating: 1, count: 100_000),
                "0",
                in: storage.startBackup("b", of: ShardPath("ks/0"))
            )
            let reader = try storage.backup("b", of: ShardPath("ks/0"))
            await #expect(throws: Stop.self) {
                try await reader.withObject(.file(0)) { source in
                    _ = try await source.next()
                    throw Stop()
                }
            }
            #expect(try await bytes("0", of: reader).count == 100_000)
        },
    ]

    // MARK: Steps

    private static func put(_ bytes: [UInt8], _ object: String, in writer: any BackupWriter) async throws {
        let count = try await writer.put(ObjectName(object), sizeHint: nil) {
            try await $0.write(ByteBuffer(bytes: bytes))
        }
        #expect(count == Int64(bytes.count))
    }

    private static func bytes(_ object: String, of reader: any BackupReader) async throws -> [UInt8] {
        try await reader.read(ObjectName(object), limit: .max)
    }

    private static func expect(
        _ code: StorageError.Code,
        _ what: String,
        _ body: () async throws -> Void
    ) async {
        let error = await #expect(throws: StorageError.self, "\(what)") { try await body() }
        #expect(error?.code == code, "\(what)")
    }
}
