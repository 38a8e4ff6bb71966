import Catalog
import Compression
import Concurrency
import Engines
import Host
import Logging
import MySQLControl
import NIOCore
import Processes
import Storage
import SystemPackage
import TestKit
import Testing
import Vocabulary

/// Our objects read by the tools of the field, and theirs by us.
@Suite(
    "formats of other programs",
    .enabled(
        if: RealComponents.has(programs: "gzip", "pigz", "zstd", "lz4", "xz"),
        "needs gzip, pigz, zstd, lz4 and xz"
    ),
    .timeLimit(.minutes(60))
)
struct ForeignFormatsTests {
    private static let name = "2026-11-21.120000.zone1-0000000101"
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Compresses like a table: rows of text, some noise, runs of zeros; longer than the blocks of every format.
    private static let content: [UInt8] = {
        var generator = SeededGenerator(seed: 11)
        return (0..<9_000_001).map { index in
            switch index >> 12 & 7 {
            case 0: 0
            case 1: UInt8.random(in: 0...255, using: &generator)
            default: UInt8(ascii: "a") + UInt8(index % 97 / 7) ^ UInt8(truncatingIfNeeded: index >> 14)
            }
        }
    }()

    /// Feeds `input` to a command and returns what it prints.
    private func pipe(_ input: [UInt8], through command: String) async throws -> [UInt8] {
        let output = LockedBox<[UInt8]>([])
        let rest = LockedBox<[UInt8]?>(input)
        try await ExternalProcess(try ExternalCommand(command)) { _ in }.run {
            rest.update { rest in
                defer { rest = nil }
                return rest.map { ByteBuffer(bytes: $0) }
            }
        } output: { piece in
            output.update { $0 += Array(piece.readableBytesView) }
        }
        return output.get()
    }

    private func withPlane<Result: Sendable>(
        _ codec: Codec,
        flightBudget: Int = 96 << 20,
        _ body: @escaping @Sendable (DataPlane, FilePath) async throws -> Result
    ) async throws -> Result {
        try await withTemporaryFolder { folder in
            try await BlockingThreads.with(count: 2) { threads in
                try await body(
                    DataPlane(
                        threads: threads,
                        codec: RecordedCodec(codec),
                        blockSize: 250_000,
                        blocksInFlight: nil,
                        concurrency: 2,
                        flightBudget: flightBudget
                    ),
                    folder
                )
            }
        }
    }

    @Test(
        "tools read what we write",
        arguments: [
            (Codec.gzip(level: .isal(1)), "gzip -dc"), (.gzip(level: .isal(3)), "pigz -dc"),
            (.gzip(level: .stored), "gzip -dc"), (.zstd(level: 1), "zstd -dc"), (.zstd(level: 11), "zstd -dc"),
            (.lz4(level: .fast), "lz4 -dc"), (.lz4(level: .high(4)), "lz4 -dc"),
        ]
    )
    func written(_ codec: Codec, _ command: String) async throws {
        #expect(try await pipe(try await write(codec), through: command) == Self.content)
    }

    @Test("what a command compresses is stored as it is")
    func external() async throws {
        let object = try await write(.external(try ExternalCommand("xz -0")))
        #expect(object == (try await pipe(Self.content, through: "xz -0")))
    }

    /// The object of a file with the content.
    private func write(_ codec: Codec) async throws -> [UInt8] {
        let shard = try ShardPath(keyspace: "commerce", shard: "0")
        let object = try await withPlane(codec) { plane, folder in
            let tablet = TabletDirectory(path: folder.appending("t"), uid: 1)
            try tablet.create(owner: nil)
            try FileTree.write(Self.content, to: tablet.innodbData.appending("ibdata1"))
            let storage = InMemoryStorage()
            let writer = try await storage.startBackup(Self.name, of: shard)
            let engine = BuiltinBackup(
                dataPlane: plane,
                progressInterval: .seconds(5),
                checksPages: false,
                logger: Self.logger
            )
            _ = try await engine.copyFiles(of: StoppedServer(tablet), to: writer, meter: TransferMeter())
            return try #require(storage.object(.file(0), of: Self.name, in: shard))
        }
        return Array(object.readableBytesView)
    }

    struct Foreign: Sendable, CustomTestStringConvertible {
        var engine: String
        var command: String
        var isEmpty = false
        var testDescription: String { "\(engine): \(command)\(isEmpty ? " of nothing" : "")" }
    }

    private static let foreign: [Foreign] =
        [
            ("pgzip", "gzip -1"), ("pargzip", "gzip -9"), ("pgzip", "pigz -1 -p 2"), ("pargzip", "pigz -i -b 256"),
            ("zstd", "zstd -1 -T2"), ("zstd", "zstd -3 --no-check"), ("zstd", "zstd -19 --long=27"),
            ("zstd", "zstd --stream-size=9000001"), ("lz4", "lz4 -1"), ("lz4", "lz4 -1 -B4 --no-frame-crc"),
            ("lz4", "lz4 -1 -BX --content-size"), ("lz4", "lz4 -9 -BD -B7"), ("lz4", "lz4 -1 -B5 -BD -BX"),
            ("external", "xz -0"),
        ].map { Foreign(engine: $0.0, command: $0.1) }
        + [("pgzip", "gzip"), ("zstd", "zstd"), ("lz4", "lz4")].map {
            Foreign(engine: $0.0, command: $0.1, isEmpty: true)
        }

    @Test("we read what tools write", arguments: foreign)
    func read(_ foreign: Foreign) async throws {
        let content = foreign.isEmpty ? [] : Self.content
        let object = try await pipe(content, through: foreign.command)
        let restored = try await restore(object, engine: foreign.engine)
        #expect(restored == content)
    }

    @Test("an object that ends too early is found in every format", arguments: foreign.filter { !$0.isEmpty })
    func truncated(_ foreign: Foreign) async throws {
        let object = try await pipe(Self.content, through: foreign.command)
        for missing in [1, 5, object.count / 2] {
            await #expect(throws: EngineError.self, "\(missing) bytes missing") {
                _ = try await restore(Array(object.dropLast(missing)), engine: foreign.engine)
            }
        }
    }

    @Test("an object that takes more memory to decode than there is says so")
    func tooLarge() async throws {
        let object = try await pipe(Self.content, through: "zstd -19 --long=27")
        let error = await #expect(throws: EngineError.self) {
            _ = try await restore(object, engine: "zstd", flightBudget: 32 << 20)
        }
        #expect("\(String(describing: error))".contains("HINT: give at least --memory-budget=192MiB"))
    }

    @Test("a later frame that takes more memory than the first is read where there is so much")
    func laterFrameTooLarge() async throws {
        let first = try await pipe(Self.content, through: "zstd -1")
        let object = first + (try await pipe(Self.content, through: "zstd -19 --long=27"))
        #expect(try await restore(object, engine: "zstd") == Self.content + Self.content)
        let error = await #expect(throws: EngineError.self) {
            _ = try await restore(object, engine: "zstd", flightBudget: 32 << 20)
        }
        #expect(error?.code == .unsupportedBackup)
        #expect("\(String(describing: error))".contains("HINT: give at least --memory-budget=192MiB"))
    }

    @Test("a member of ours that is larger than what we write is read in order, also behind others")
    func largeMember() async throws {
        let content = Self.content
        let stored = try await pipe(content, through: "gzip -1")
        // Ten bytes of header; ours says a content of 40 MiB that the member has not: only its place depends on that.
        var member: [UInt8] = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 4, 0xff, 12, 0, 0x56, 0x54, 8, 0]
        for length in [UInt32(stored.count + 14), 40 << 20] {
            member += withUnsafeBytes(of: length.littleEndian) { Array($0) }
        }
        member += stored.dropFirst(10)
        #expect(try await restore(member, engine: "pgzip") == content)
        let ours = try await write(.gzip(level: .isal(1)))
        #expect(try await restore(ours + member, engine: "pgzip") == content + content)
    }

    /// Restores a backup of one file with this object.
    private func restore(_ object: [UInt8], engine: String, flightBudget: Int = 96 << 20) async throws -> [UInt8]? {
        let shard = try ShardPath(keyspace: "commerce", shard: "0")
        return try await withPlane(.identity, flightBudget: flightBudget) { plane, folder in
            let storage = InMemoryStorage()
            let writer = try await storage.startBackup(Self.name, of: shard)
            let stored = try await writer.store(.file(0), sizeHint: nil) { sink in
                for start in Swift.stride(from: 0, to: object.count, by: 1 << 20) {
                    try await sink.write(ByteBuffer(bytes: object[start..<min(start + 1 << 20, object.count)]))
                }
            }
            var manifest = Manifest()
            var builtin = Manifest.Builtin()
            builtin.compressionEngine = engine
            builtin.files = [FileEntry(base: .innodbData, name: "ibdata1", hash: stored.crc32)]
            manifest.builtin = builtin
            try await writer.commit(manifest: ByteBuffer(bytes: manifest.encoded()))
            let target = TabletDirectory(path: folder.appending("r"), uid: 2)
            try target.create(owner: nil)
            var decompressors = StoredFormat.ExternalDecompressors()
            decompressors.command = "xz -dc"
            let restoring = BuiltinRestore(
                dataPlane: plane,
                owner: nil,
                durable: false,
                decompressors: decompressors,
                logger: Self.logger
            )
            let reader = try storage.backup(Self.name, of: shard)
            try await restoring.restore(manifest, from: reader, to: target, meter: TransferMeter())
            return try FileTree.read(target.innodbData.appending("ibdata1"), limit: 32 << 20)
        }
    }
}
