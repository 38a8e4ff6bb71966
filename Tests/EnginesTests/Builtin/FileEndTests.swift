import Catalog
import Compression
import Concurrency
import Host
import Logging
import NIOCore
import Storage
import SystemPackage
import TestKit
import Testing
import Vocabulary

@testable import Engines

/// Holes must stay holes where a file system allocates in advance behind the end of a file that grows.
@Suite("end of a file with holes", .timeLimit(.minutes(5)))
struct FileEndTests {
    private static let page = 16_384

    /// Pages with four blocks each, of which the first is used.
    private func pages(_ count: Int, type: UInt8) -> [UInt8] {
        (0..<count).flatMap { number -> [UInt8] in
            var page = [UInt8](repeating: 7, count: 4_000)
            (page[4], page[5], page[6], page[7]) = (0, 0, UInt8(number >> 8), UInt8(number & 0xff))
            (page[24], page[25]) = (0, number == 0 ? 8 : type)
            return page + [UInt8](repeating: 0, count: Self.page - page.count)
        }
    }

    /// Writes the first pages of a table.
    /// - Returns: the size of the file then.
    private func size(afterWriting content: [UInt8], limit: Int64?) async throws -> Int64 {
        try await withTemporaryFolder { folder in
            try await BlockingThreads.with(count: 1) { threads in
                let plane = DataPlane.small(threads, codec: RecordedCodec(.identity))
                let path = folder.appending("t.ibd")
                let target = try FileTree.open(
                    path,
                    .readWrite,
                    options: [.create],
                    permissions: .ownerReadWrite
                )
                let writer = PlacedWriter(
                    target: target,
                    path: path,
                    start: 0,
                    limit: limit,
                    dataPlane: plane,
                    counted: ByteCount(meter: TransferMeter()),
                    guesses: false,
                    durable: false,
                    logger: LogLines().logger
                )
                return try target.closing {
                    try content.withUnsafeBytes { try writer.write($0, at: 0) }
                    return try target.sizeAndChange().size
                }
            }
        }
    }

    @Test("is set as soon as a hole is known, before what lies behind it is written")
    func compressed() async throws {
        let size = Int64(100 * Self.page)
        #expect(try await self.size(afterWriting: pages(4, type: 14), limit: size) == size)
        let ahead = try await self.size(afterWriting: pages(4, type: 14), limit: nil)
        #expect(ahead == Int64(4 * Self.page) + FileEnd.step)
    }

    @Test("of an ordinary table grows with what is written")
    func ordinary() async throws {
        let written = Int64(4 * Self.page)
        #expect(try await size(afterWriting: pages(4, type: 5), limit: 100 * Int64(Self.page)) == written)
    }

    @Test("is where the content ends, also of a file whose size nobody knew", arguments: [true, false])
    func unknownSize(_ isKnown: Bool) async throws {
        let content = pages(40, type: 14)
        try await withTemporaryFolder { folder in
            try await BlockingThreads.with(count: 1) { threads in
                let plane = DataPlane.small(threads, codec: RecordedCodec(.identity))
                let shard = try ShardPath(keyspace: "commerce", shard: "0")
                let storage = InMemoryStorage()
                let name = "2026-11-21.120000.zone1-0000000101"
                let writer = try await storage.startBackup(name, of: shard)
                _ = try await writer.put(.file(0), sizeHint: nil) { try await $0.write(ByteBuffer(bytes: content)) }
                var hash = CRC32()
                content.withUnsafeBytes { hash.update($0) }
                let count = Int64(content.count)
                let path = folder.appending("t.ibd")
                let decoder = FileDecoder(
                    file: FileEntry(
                        base: .data,
                        name: "t.ibd",
                        hash: hash.value,
                        sizes: isKnown ? FileEntry.Sizes(raw: count, stored: count) : nil
                    ),
                    index: 0,
                    place: ConfinedPath(root: folder, below: "t.ibd"),
                    format: .identity,
                    owner: nil,
                    durable: false,
                    dataPlane: plane,
                    logger: LogLines().logger
                )
                try await decoder.decode(from: try storage.backup(name, of: shard), meter: TransferMeter())
                let found = try FileTree.read(path, limit: 1 << 27)
                #expect(found == content)
            }
        }
    }
}
