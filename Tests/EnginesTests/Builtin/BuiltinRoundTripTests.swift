import Catalog
import Compression
import Concurrency
import Host
import Logging
import MySQLControl
import NIOCore
import Storage
import SystemPackage
import TestKit
import Testing
import Vocabulary

@testable import Engines

/// The builtin engine on folders made by hand: what it takes, what it gives back, and what it does with faults.
@Suite("builtin engine", .timeLimit(.minutes(5)))
struct BuiltinRoundTripTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private static let name = "2026-11-21.120000.zone1-0000000101"
    private static let files: [(String, Int)] = [
        ("innodb/data/ibdata1", 700_001), ("innodb/logs/#innodb_redo/#ib_redo1", 65_536), ("data/mysql.ibd", 250_000),
        ("data/shop/customer.ibd", 1_250_001), ("data/shop/empty.ibd", 0), ("data/shop/note.txt", 3),
    ]

    /// A tablet folder with files of known content; `extra` are added.
    private func withTablet<Result: Sendable>(
        _ body: (TabletDirectory, FilePath, DataPlane, Codec) async throws -> Result,
        codec: Codec = .gzip(level: .isal(1))
    ) async throws -> Result {
        try await withTemporaryFolder { folder in
            let tablet = TabletDirectory(path: folder.appending("t"), uid: 1)
            try tablet.create(owner: nil)
            var generator = SeededGenerator(seed: 7)
            for (name, size) in Self.files {
                let path = tablet.path.pushing(FilePath(name))
                try FileTree.createDirectory(path.removingLastComponent(), parents: true)
                let block = (0..<512).map { _ in UInt8.random(in: 0...15, using: &generator) }
                try FileTree.write((0..<size).map { block[$0 % 512] &+ UInt8(truncatingIfNeeded: $0 >> 16) }, to: path)
            }
            return try await BlockingThreads.with(count: 2) { threads in
                let plane = DataPlane.small(threads, codec: RecordedCodec(codec), concurrency: 3)
                return try await body(tablet, folder, plane, codec)
            }
        }
    }

    private func backUp(
        _ tablet: TabletDirectory,
        to storage: any BackupStorage,
        _ plane: DataPlane,
        _ codec: Codec
    ) async throws -> Manifest {
        let shard = try ShardPath(keyspace: "commerce", shard: "0")
        let writer = try await storage.startBackup(Self.name, of: shard)
        let engine = BuiltinBackup(
            dataPlane: plane,
            progressInterval: .seconds(5),
            checksPages: false,
            logger: Self.logger
        )
        var manifest = Manifest()
        manifest.builtin = try await engine.copyFiles(of: StoppedServer(tablet), to: writer, meter: TransferMeter())
        try await writer.commit(manifest: manifest.commitRecord())
        return try Manifest(decoding: manifest.encoded())
    }

    private func restore(
        _ manifest: Manifest,
        from storage: any BackupStorage,
        into folder: FilePath,
        _ plane: DataPlane,
        decompressor: String = ""
    ) async throws -> TabletDirectory {
        let shard = try ShardPath(keyspace: "commerce", shard: "0")
        let target = TabletDirectory(path: folder.appending("r"), uid: 2)
        try FileTree.remove(target.path)
        try target.create(owner: nil)
        var decompressors = StoredFormat.ExternalDecompressors()
        decompressors.command = decompressor
        let engine = BuiltinRestore(
            dataPlane: plane,
            owner: nil,
            durable: true,
            decompressors: decompressors,
            logger: Self.logger
        )
        let reader = try storage.backup(Self.name, of: shard)
        try await engine.restore(manifest, from: reader, to: target, meter: TransferMeter())
        return target
    }

    private func expectSame(_ source: TabletDirectory, _ target: TabletDirectory) throws {
        for (name, size) in Self.files {
            let left = try FileTree.read(source.path.pushing(FilePath(name)), limit: 8 << 20)
            let right = try FileTree.read(target.path.pushing(FilePath(name)), limit: 8 << 20)
            #expect(left == right, "\(name)")
            #expect(left?.count == size)
        }
    }

    @Test("a decompressor that does not fit is blamed, and not the backup")
    func wrongDecompressor() async throws {
        try await withTablet(
            { tablet, folder, plane, codec in
                let storage = InMemoryStorage()
                var manifest = try await backUp(tablet, to: storage, plane, codec)
                manifest.builtin?.compressionEngine = "external"
                let wrong = manifest
                let error = await #expect(throws: EngineError.self) {
                    _ = try await restore(wrong, from: storage, into: folder, plane, decompressor: "/bin/cat")
                }
                let last = error.flatMap { causes(of: $0).last } as? CompressionError
                #expect(last?.code == .external, "\(error.map { "\($0)" } ?? "")")
            },
            codec: .zstd(level: 1)
        )
    }

    @Test(
        "what is copied is what comes back",
        arguments: [
            Codec.identity, .gzip(level: .stored), .gzip(level: .isal(0)), .gzip(level: .isal(1)),
            .gzip(level: .isal(3)), .zstd(level: 1), .zstd(level: 11), .lz4(level: .fast), .lz4(level: .high(3)),
        ]
    )
    func roundTrip(_ codec: Codec) async throws {
        try await withTablet(
            { tablet, folder, plane, codec in
                let storage = InMemoryStorage()
                let manifest = try await backUp(tablet, to: storage, plane, codec)
                let entries = manifest.builtin?.files ?? []
                #expect(
                    entries.map { "\($0.base.rawValue) \($0.name)" } == [
                        "InnoDBData ibdata1", "InnoDBLog #innodb_redo/#ib_redo1", "Data mysql.ibd",
                        "Data shop/customer.ibd", "Data shop/empty.ibd", "Data shop/note.txt",
                    ]
                )
                #expect(entries.map { Int($0.sizes?.raw ?? -1) } == Self.files.map(\.1))
                let target = try await restore(manifest, from: storage, into: folder, plane)
                try expectSame(tablet, target)
            },
            codec: codec
        )
    }

    @Test("a folder where a file must be is refused by name")
    func unsupported() async throws {
        try await withTablet { tablet, _, plane, codec in
            try FileTree.createDirectory(tablet.data.appending("shop").appending("inner"), parents: false)
            let error = await #expect(throws: EngineError.self) {
                _ = try await backUp(tablet, to: InMemoryStorage(), plane, codec)
            }
            #expect(error?.code == .unsupportedFile)
            #expect(error?.message.contains("data/shop/inner is not a regular file") == true)
        }
    }

    @Test("a damaged object is read again, then ends the restore with file and object named")
    func damaged() async throws {
        try await withTablet { tablet, folder, plane, codec in
            let storage = InMemoryStorage()
            let shard = try ShardPath(keyspace: "commerce", shard: "0")
            let manifest = try await backUp(tablet, to: storage, plane, codec)
            var bytes = try #require(storage.object(.file(3), of: Self.name, in: shard))
            for damage in ["flipped", "short", "long", "missing", "swapped"] {
                switch damage {
                case "flipped":
                    var flipped = bytes
                    let middle = flipped.readableBytes / 2
                    let old = try #require(flipped.getInteger(at: middle, as: UInt8.self))
                    flipped.setInteger(old ^ 4, at: middle)
                    storage.tamper(.file(3), of: Self.name, in: shard, with: flipped)
                case "short":
                    storage.tamper(
                        .file(3),
                        of: Self.name,
                        in: shard,
                        with: bytes.getSlice(at: 0, length: bytes.readableBytes - 1)
                    )
                case "long":
                    var longer = bytes
                    longer.writeInteger(UInt8(0))
                    storage.tamper(.file(3), of: Self.name, in: shard, with: longer)
                case "missing": storage.tamper(.file(3), of: Self.name, in: shard, with: nil)
                default:
                    let other = try #require(storage.object(.file(2), of: Self.name, in: shard))
                    storage.tamper(.file(3), of: Self.name, in: shard, with: other)
                }
                let error = await #expect(throws: EngineError.self, "\(damage)") {
                    _ = try await restore(manifest, from: storage, into: folder, plane)
                }
                #expect(error?.code == .damagedBackup, "\(damage)")
                #expect(error?.message.contains("Data shop/customer.ibd, object 3 of backup \(Self.name)") == true)
            }
            storage.tamper(.file(3), of: Self.name, in: shard, with: bytes)
            let target = try await restore(manifest, from: storage, into: folder, plane)
            try expectSame(tablet, target)
            bytes.clear()
        }
    }

    @Test("what other gzip writers wrote is restored as well")
    func foreign() async throws {
        try await withTablet { tablet, folder, plane, codec in
            let storage = InMemoryStorage()
            let shard = try ShardPath(keyspace: "commerce", shard: "0")
            var manifest = try await backUp(tablet, to: storage, plane, codec)
            // The same content without our extra field: an ordinary 10-byte header in front of each member.
            for index in Self.files.indices {
                var source = try #require(storage.object(.file(index), of: Self.name, in: shard))
                var foreign = ByteBuffer()
                while source.readableBytes > 0 {
                    let length = source.getInteger(at: source.readerIndex + 16, endianness: .little, as: UInt32.self)
                    let whole = source.readSlice(length: Int(try #require(length)))
                    var member = try #require(whole)
                    member.moveReaderIndex(forwardBy: 24)
                    foreign.writeBytes([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])
                    foreign.writeBuffer(&member)
                }
                var crc = CRC32()
                crc.update(foreign)
                manifest.builtin?.files[index].hash = crc.value
                manifest.builtin?.files[index].sizes = nil
                storage.tamper(.file(index), of: Self.name, in: shard, with: foreign)
            }
            let target = try await restore(manifest, from: storage, into: folder, plane)
            try expectSame(tablet, target)
        }
    }

    @Test(
        "a file that Vitess 25 has cut into chunks is put together again",
        arguments: [Codec.identity, .gzip(level: .isal(1)), .zstd(level: 1), .lz4(level: .fast)]
    )
    func chunked(_ codec: Codec) async throws {
        try await withTablet(
            { tablet, folder, plane, codec in
                let storage = InMemoryStorage()
                let shard = try ShardPath(keyspace: "commerce", shard: "0")
                var manifest = try await backUp(tablet, to: storage, plane, codec)
                let whole = tablet.data.appending("shop").appending("customer.ibd")
                let content = try #require(try FileTree.read(whole, limit: 8 << 20))
                var chunks: [FileEntry.Chunk] = []
                for (number, range) in [0..<500_000, 500_000..<500_001, 500_001..<content.count].enumerated() {
                    let part = TabletDirectory(path: folder.appending("part\(number)"), uid: 3)
                    try part.create(owner: nil)
                    try FileTree.write(Array(content[range]), to: part.innodbData.appending("ibdata1"))
                    let scratch = InMemoryStorage()
                    let entry = try #require(try await backUp(part, to: scratch, plane, codec).builtin?.files.first)
                    let name = "3-\(number)"
                    storage.tamper(
                        try ObjectName(name),
                        of: Self.name,
                        in: shard,
                        with: scratch.object(.file(0), of: Self.name, in: shard)
                    )
                    chunks.append(
                        FileEntry.Chunk(
                            storageName: name,
                            offset: Int64(range.lowerBound),
                            size: Int64(range.count),
                            hash: entry.hash
                        )
                    )
                }
                storage.tamper(.file(3), of: Self.name, in: shard, with: nil)
                manifest.builtin?.files[3] = FileEntry(base: .data, name: "shop/customer.ibd", hash: 0, chunks: chunks)
                let target = try await restore(manifest, from: storage, into: folder, plane)
                try expectSame(tablet, target)

                chunks[1].size += 1
                manifest.builtin?.files[3] = FileEntry(base: .data, name: "shop/customer.ibd", hash: 0, chunks: chunks)
                await #expect(throws: EngineError.self, "a chunk that is shorter than it should be") {
                    _ = try await restore(manifest, from: storage, into: folder, plane)
                }
            },
            codec: codec
        )
    }

    @Test(
        "a header of gzip within foreign gzip is a wrong guess, and the object is read in order",
        arguments: [true, false]
    )
    func falseHeader(sizeIsKnown: Bool) async throws {
        try await withTablet { tablet, folder, plane, codec in
            // Stored, so that the ten bytes of every member's header stand in the object as they are in the content. In
            // front of them a length that moves the good member behind it two MiB too far.
            let header: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]
            let first =
                [UInt8](repeating: 5, count: 3000) + [0, 0, 0x20, 0] + header + [UInt8](repeating: 6, count: 3000)
            let second = [UInt8](repeating: 7, count: 500)
            let encoder = GzipEncoder(level: .stored)
            let object = try [first, second].flatMap { content in
                try content.withUnsafeBytes { header + Array(try encoder.encode($0).readableBytesView.dropFirst(24)) }
            }
            let storage = InMemoryStorage()
            let shard = try ShardPath(keyspace: "commerce", shard: "0")
            var manifest = try await backUp(tablet, to: storage, plane, codec)
            var crc = CRC32()
            crc.update(ByteBuffer(bytes: object))
            let index = try #require(manifest.builtin?.files.firstIndex { $0.name == "shop/note.txt" })
            manifest.builtin?.files[index].hash = crc.value
            let size = Int64(first.count + second.count)
            manifest.builtin?.files[index].sizes =
                sizeIsKnown ? FileEntry.Sizes(raw: size, stored: Int64(object.count)) : nil
            storage.tamper(.file(index), of: Self.name, in: shard, with: ByteBuffer(bytes: object))
            let target = try await restore(manifest, from: storage, into: folder, plane)
            let restored = try FileTree.read(target.data.appending("shop").appending("note.txt"), limit: 8 << 20)
            #expect(restored == first + second)
        }
    }

    @Test("an object with more content than its file is not unpacked")
    func bomb() async throws {
        try await withTablet { tablet, folder, plane, codec in
            let storage = InMemoryStorage()
            var manifest = try await backUp(tablet, to: storage, plane, codec)
            let sizes = try #require(manifest.builtin?.files[3].sizes)
            manifest.builtin?.files[3].sizes = FileEntry.Sizes(raw: 100_000, stored: sizes.stored)
            let error = await #expect(throws: EngineError.self) {
                _ = try await restore(manifest, from: storage, into: folder, plane)
            }
            #expect("\(String(describing: error))".contains("more content than the 100000 bytes"))
            let written = try FileTree.status(
                folder.appending("r").appending("data").appending("shop").appending("customer.ibd")
            )
            #expect((written?.size ?? 0) <= 100_000)
        }
    }
}
