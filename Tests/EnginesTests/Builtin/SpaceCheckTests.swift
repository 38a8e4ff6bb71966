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

/// Whether a restore fits, by what will be written.
@Suite("space before a restore", .timeLimit(.minutes(5)))
struct SpaceCheckTests {
    private static let name = "2026-11-21.120000.zone1-0000000101"
    private static let page = 16_384
    private static let pages = 512

    /// A table of 8 MiB of which 4 KiB in each page are no zeros; compressed as a whole, or ordinary.
    private func table(isCompressed: Bool) -> [UInt8] {
        var generator = SeededGenerator(seed: 3)
        var content: [UInt8] = []
        for number in 0..<Self.pages {
            var page = (0..<4_000).map { _ in UInt8.random(in: 1...255, using: &generator) }
            for shift in 0..<4 { page[4 + shift] = UInt8(truncatingIfNeeded: number >> (24 - 8 * shift)) }
            (page[24], page[25]) = number == 0 ? (0, 8) : isCompressed ? (0, 14) : (0x45, 0xbf)
            content += page + [UInt8](repeating: 0, count: Self.page - page.count)
        }
        return content
    }

    private func check(
        _ tables: [[UInt8]],
        available: Int64,
        codec: Codec = .gzip(level: .isal(1)),
        isElastic: Bool = false
    ) async throws -> (refusal: EngineError?, log: [String]) {
        try await withTemporaryFolder { folder in
            let tablet = TabletDirectory(path: folder.appending("t"), uid: 1)
            try tablet.create(owner: nil)
            let schema = tablet.data.appending("shop")
            try FileTree.createDirectory(schema, parents: true)
            for (index, content) in tables.enumerated() {
                try FileTree.write(content, to: schema.appending("t\(index).ibd"))
            }
            return try await BlockingThreads.with(count: 2) { threads in
                let plane = DataPlane.small(threads, codec: RecordedCodec(codec), concurrency: 3)
                let lines = LogLines()
                let storage = InMemoryStorage()
                let shard = try ShardPath(keyspace: "commerce", shard: "0")
                let engine = BuiltinBackup(
                    dataPlane: plane,
                    progressInterval: .seconds(60),
                    checksPages: false,
                    logger: lines.logger
                )
                var manifest = Manifest()
                let writer = try await storage.startBackup(Self.name, of: shard)
                let builtin = try await engine.copyFiles(of: StoppedServer(tablet), to: writer, meter: TransferMeter())
                manifest.builtin = builtin
                try await writer.commit(manifest: manifest.commitRecord())
                var check = SpaceCheck(dataPlane: plane, logger: lines.logger)
                check.space = { path in
                    var space = try FileSystemSpace(of: path)
                    (space.available, space.isElastic, space.device) = (available, isElastic, 1)
                    return space
                }
                let format: StoredFormat
                if case .identity = codec {
                    format = .identity
                } else {
                    format = try StoredFormat(
                        engine: builtin.effectiveCompressionEngine,
                        manifestCommand: "",
                        decompressors: StoredFormat.ExternalDecompressors()
                    )
                }
                do {
                    try await check.run(
                        manifest,
                        builtin,
                        as: format,
                        from: try storage.backup(Self.name, of: shard),
                        to: tablet
                    )
                    return (nil, lines.all)
                } catch let error as EngineError {
                    return (error, lines.all)
                }
            }
        }
    }

    @Test(
        "holes of page-compressed tables are no need: what fits without them is not refused",
        arguments: [Codec.gzip(level: .isal(1)), .zstd(level: 1), .lz4(level: .fast)]
    )
    func holes(_ codec: Codec) async throws {
        let size = Int64(Self.page * Self.pages)
        let (refusal, log) = try await check([table(isCompressed: true)], available: size / 2, codec: codec)
        #expect(refusal == nil)
        #expect(log.contains { $0.contains("may not fit") && $0.contains("page-compressed") })
    }

    @Test("ordinary tables need their size, however well they compress")
    func ordinary() async throws {
        let size = Int64(Self.page * Self.pages)
        let (refusal, _) = try await check([table(isCompressed: false)], available: size / 2)
        #expect(refusal?.code == .noSpace)
        #expect(refusal?.description.contains("it needs \(size) bytes") == true)
    }

    @Test("what does not fit without the holes either is refused, and says so")
    func tooLarge() async throws {
        let size = Int64(Self.page * Self.pages)
        let (refusal, _) = try await check([table(isCompressed: true)], available: size / 8)
        #expect(refusal?.code == .noSpace)
        let (mixed, _) = try await check(
            [table(isCompressed: true), table(isCompressed: false)],
            available: size
        )
        #expect(mixed?.code == .noSpace)
        #expect(mixed?.description.contains("less with the holes of page-compressed tables") == true)
        let (fits, log) = try await check([table(isCompressed: true)], available: size)
        #expect(fits == nil)
        #expect(!log.contains { $0.contains("may not fit") })
    }

    @Test("objects without a size in the manifest are asked for theirs several at once")
    func severalAtOnce() async throws {
        try await withTemporaryFolder { folder in
            let tablet = TabletDirectory(path: folder.appending("t"), uid: 1)
            try tablet.create(owner: nil)
            try await BlockingThreads.with(count: 1) { threads in
                let plane = DataPlane.small(threads)
                var builtin = Manifest.Builtin()
                builtin.files = (0..<100).map { FileEntry(base: .data, name: "shop/t\($0).ibd", hash: 0) }
                let meeting = Meeting(of: 8)
                let files = builtin
                // Whoever asks for one after the other waits for ever.
                try await withDeadline(.seconds(60), operation: "asking for sizes") {
                    var manifest = Manifest()
                    manifest.builtin = files
                    try await SpaceCheck(dataPlane: plane, logger: LogLines().logger).run(
                        manifest,
                        files,
                        as: .gzip,
                        from: Crowd(meeting: meeting),
                        to: tablet
                    )
                }
                #expect(meeting.guests == 100)
            }
        }
    }

    /// Lets nobody go on before so many are there, or somebody has enough of waiting.
    private struct Meeting: Sendable {
        private struct State {
            var count = 0
            var isOpen = false
            var waiting: [CheckedContinuation<Void, Never>] = []
        }

        private let state = LockedBox(State())
        private let quorum: Int

        init(of quorum: Int) { self.quorum = quorum }

        var guests: Int { state.get().count }

        func join() async {
            await withTaskCancellationHandler {
                await withCheckedContinuation { guest in
                    open { state in
                        state.count += 1
                        state.isOpen = state.isOpen || state.count >= quorum
                        state.waiting.append(guest)
                    }
                }
            } onCancel: {
                open { $0.isOpen = true }
            }
        }

        private func open(_ change: (inout State) -> Void) {
            let free = state.update { state -> [CheckedContinuation<Void, Never>] in
                change(&state)
                guard state.isOpen else { return [] }
                defer { state.waiting = [] }
                return state.waiting
            }
            for guest in free { guest.resume() }
        }
    }

    private struct Crowd: BackupReader {
        let name = SpaceCheckTests.name
        let meeting: Meeting

        func size(of object: ObjectName) async throws -> Int64? {
            await meeting.join()
            return 1
        }

        func withObject<Result: Sendable>(
            _ object: ObjectName,
            body: (any ObjectSource) async throws -> Result
        ) async throws -> Result {
            throw StorageError(.notFound, "no object \(object)")
        }
    }
}
