import Catalog
import Compression
import Concurrency
import FoundationEssentials
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

@testable import Engines

/// What a manifest says of the codec is what wrote the objects, or the backup is not made.
@Suite("the codec that is written down", .timeLimit(.minutes(5)))
struct ReadingBackTests {
    private static let name = "2026-11-21.120000.zone1-0000000101"
    private let lines = LogLines()

    private func recorded(
        _ engine: String,
        _ compressor: String,
        manifest: String = "",
        decompressor: String = ""
    ) throws -> RecordedCodec {
        try RecordedCodec(
            engine: engine,
            level: 1,
            compresses: true,
            compressor: compressor,
            manifestDecompressor: manifest,
            decompressor: decompressor
        )
    }

    private func withEngine<Result: Sendable>(
        _ codec: RecordedCodec,
        _ body: (BuiltinBackup) async throws -> Result
    ) async throws -> Result {
        try await BlockingThreads.with(count: 2) { threads in
            let plane = DataPlane.small(threads, codec: codec, concurrency: 2)
            return try await body(
                BuiltinBackup(
                    dataPlane: plane,
                    progressInterval: .seconds(5),
                    checksPages: false,
                    logger: lines.logger
                )
            )
        }
    }

    // MARK: At the start

    @Test(
        "a compressor that does not write what the manifest would say is refused before any work",
        arguments: [
            ("pargzip", "zstd -c", "", ""), ("zstd", "gzip -c", "", ""), ("lz4", "xz -0", "", ""),
            ("external", "zstd -c", "gzip -dc", ""), ("external", "zstd -c", "", "xz -dc"),
            ("external", "zstd -c", "zstd -dc", "sh -c 'exit 3'"), ("pgzip", "cat", "", ""),
            ("external", "gzip -c", "head -c 100", ""), ("pargzip", "sh -c 'exit 7'", "", ""),
            ("pargzip", "/no/such/compressor", "", ""), ("pargzip", "cat /dev/zero", "", ""),
        ]
    )
    func refused(_ engine: String, _ compressor: String, _ manifest: String, _ decompressor: String) async throws {
        // Of two commands the manifest's counts for others, so that only it must do.
        let isMended = manifest == "zstd -dc"
        let codec = try recorded(engine, compressor, manifest: manifest, decompressor: decompressor)
        try await withEngine(codec) { backup in
            if isMended { return try await backup.check() }
            let error = await #expect(throws: (any Error).self) { try await backup.check() }
            #expect("\(error.map { "\($0)" } ?? "")".contains(compressor))
        }
    }

    @Test(
        "pairs that belong together are taken",
        arguments: [
            ("pgzip", "pigz -1", "", ""), ("pargzip", "gzip -c", "", ""), ("zstd", "zstd -c", "", ""),
            ("lz4", "lz4 -c", "", ""), ("pgzip", "/bin/gzip -c", "", ""), ("external", "xz -0", "xz -dc", ""),
            ("external", "xz -0", "", "xz -dc"),
            ("external", "xz -0", "/no/such/program", "xz -dc"),
        ]
    )
    func taken(_ engine: String, _ compressor: String, _ manifest: String, _ decompressor: String) async throws {
        let codec = try recorded(engine, compressor, manifest: manifest, decompressor: decompressor)
        try await withEngine(codec) { try await $0.check() }
        #expect(lines.all.contains { $0.contains("reads as the MANIFEST will say") })
    }

    @Test("without any decompressor it is only said", arguments: ["", "/no/such/program -d"])
    func unknown(_ manifest: String) async throws {
        try await withEngine(try recorded("external", "xz -0", manifest: manifest)) { try await $0.check() }
        #expect(lines.all.contains { $0.contains("could not be read back here") })
    }

    // MARK: Before the commit

    /// Copies a small tablet and reads back; `tamper` stands between.
    private func readBack(
        _ codec: RecordedCodec,
        tamper: (InMemoryStorage, TabletDirectory) async throws -> Void = { _, _ in }
    ) async throws -> Manifest.Builtin {
        let shard = try ShardPath("ks/0")
        return try await withTemporaryFolder { folder in
            let tablet = TabletDirectory(path: folder.appending("t"), uid: 1)
            try tablet.create(owner: nil)
            let content = (0..<50_000).map { UInt8(truncatingIfNeeded: $0 >> 3) }
            try FileTree.write(content, to: tablet.innodbData.appending("ibdata1"))
            try FileTree.write(Array(content[..<100]), to: tablet.innodbData.appending("ib_buffer_pool"))
            try FileTree.write([], to: tablet.innodbData.appending("none"))
            return try await withEngine(codec) { backup in
                let storage = InMemoryStorage()
                let writer = try await storage.startBackup(Self.name, of: shard)
                let builtin = try await backup.copyFiles(of: StoppedServer(tablet), to: writer, meter: TransferMeter())
                try await tamper(storage, tablet)
                try await backup.readBack(builtin, of: tablet, from: try storage.backup(Self.name, of: shard))
                return builtin
            }
        }
    }

    @Test("the smallest object is read back, whatever the codec, and the manifest says what wrote it")
    func readsBack() async throws {
        let codecs = [
            RecordedCodec(.identity), RecordedCodec(.gzip(level: .isal(1))), RecordedCodec(.zstd(level: 1)),
            RecordedCodec(.lz4(level: .fast)), try recorded("pgzip", "pigz -1"),
            try recorded("external", "xz -0", manifest: "xz -dc"),
        ]
        for codec in codecs {
            let builtin = try await readBack(codec)
            #expect(builtin.compressionEngine == codec.engine)
            #expect(builtin.skipCompress == (codec.codec == .identity))
            #expect(builtin.externalDecompressor == codec.manifestDecompressor)
        }
        #expect(lines.all.filter { $0.contains("object 0") && $0.contains("reads back") }.count == codecs.count)
    }

    @Test("an object that does not read back ends the pass before its commit")
    func differs() async throws {
        let shard = try ShardPath("ks/0")
        for codec in [RecordedCodec(.identity), RecordedCodec(.gzip(level: .isal(1)))] {
            await #expect(throws: (any Error).self, "the store lost it") {
                _ = try await readBack(codec) { storage, _ in
                    storage.tamper(.file(0), of: Self.name, in: shard, with: nil)
                }
            }
            await #expect(throws: EngineError.self, "the store gives something else") {
                _ = try await readBack(codec) { storage, _ in
                    var bytes = try #require(storage.object(.file(0), of: Self.name, in: shard))
                    bytes.setInteger(UInt8(0xa5), at: bytes.writerIndex - 10)
                    storage.tamper(.file(0), of: Self.name, in: shard, with: bytes)
                }
            }
            await #expect(throws: EngineError.self, "the file is another") {
                _ = try await readBack(codec) { _, tablet in
                    try FileTree.write(Array("changed".utf8), to: tablet.innodbData.appending("ib_buffer_pool"))
                }
            }
        }
    }

    // MARK: Reading

    @Test("an object of another format than its manifest says is told by name, with what to write there instead")
    func otherFormat() async throws {
        let content = [UInt8](repeating: 1, count: 5_000)
        let commands = [
            ("zstd -c", "Zstandard", "\"zstd\""), ("lz4 -c", "LZ4", "\"lz4\""), ("xz -0c", "xz", "\"external\""),
        ]
        for (command, found, advice) in commands {
            let error = await #expect(throws: CompressionError.self) {
                let output = LockedBox<[UInt8]>([])
                let input = LockedBox<[UInt8]?>(content)
                try await ExternalProcess(try ExternalCommand(command)) { _ in }.run {
                    input.update { input in
                        defer { input = nil }
                        return input.map { ByteBuffer(bytes: $0) }
                    }
                } output: { piece in
                    output.update { $0 += Array(piece.readableBytesView) }
                }
                try output.get().withUnsafeBytes { try StoredFormat.gzip.recognize($0) }
            }
            #expect(error?.code == .otherFormat)
            #expect(error?.message.contains("its bytes are \(found) and not gzip") == true)
            #expect(error?.message.contains(advice) == true)
        }
    }

    @Test(
        "the backup that Vitess itself cannot restore is told for what it is",
        .enabled(if: ProcessInfo.processInfo.environment["VTB_GOLDEN"] != nil, "VTB_GOLDEN is not set")
    )
    func golden() async throws {
        let golden = FilePath(try #require(ProcessInfo.processInfo.environment["VTB_GOLDEN"]))
        let name = "2026-11-29.011926.vtbackup-0152259737"
        try await withTemporaryFolder { folder in
            let shard = try ShardPath("commerce/0")
            let place = folder.appending("commerce").appending("0")
            try FileTree.createDirectory(place, parents: true)
            let tar = try await Programs.run(
                "/bin/tar",
                ["-xf", golden.appending("backups").appending("\(name).tar").string, "-C", place.string]
            )
            #expect(tar.succeeded)
            try await withEngine(RecordedCodec(.identity)) { backup in
                let plane = backup.dataPlane
                let storage = FileStorage(root: folder, threads: plane.threads)
                let reader = try storage.backup(name, of: shard)
                guard case .complete(var manifest) = try await reader.manifest() else {
                    Issue.record("its MANIFEST can be read")
                    return
                }
                let engine = BuiltinRestore(
                    dataPlane: plane,
                    owner: nil,
                    durable: false,
                    decompressors: .init(),
                    logger: lines.logger
                )
                let target = TabletDirectory(path: folder.appending("r"), uid: 2)
                try target.create(owner: nil)
                let wrong = manifest
                let error = await #expect(throws: EngineError.self) {
                    try await engine.restore(wrong, from: reader, to: target, meter: TransferMeter())
                }
                let text = error.map { "\($0)" } ?? ""
                #expect(text.contains("its bytes are Zstandard and not gzip"))
                #expect(text.contains("\"zstd\""))
                // What it says helps.
                manifest.builtin?.compressionEngine = "zstd"
                try await engine.restore(manifest, from: reader, to: target, meter: TransferMeter())
            }
        }
    }
}
