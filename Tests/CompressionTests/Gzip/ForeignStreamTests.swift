import Testing

@testable import Compression

@Suite("Gzip streams of other programs")
struct ForeignStreamTests {
    private static let shapes = [
        ForeignGzip(testDescription: "plain header"),
        ForeignGzip(testDescription: "file name", name: "ibdata1"),
        ForeignGzip(testDescription: "extra field", extra: Array("XY".utf8) + [4, 0, 1, 2, 3, 4]),
        ForeignGzip(testDescription: "long extra field", extra: [UInt8](repeating: 5, count: 3000)),
        ForeignGzip(testDescription: "extra field and file name", extra: [0x41, 0x42, 1, 0, 7], name: "ibdata1"),
        ForeignGzip(testDescription: "header checksum", hasHeaderChecksum: true),
        ForeignGzip(testDescription: "comment", comment: "made by hand"),
        ForeignGzip(
            testDescription: "everything, with a header checksum",
            extra: [0x41, 0x42, 0, 0],
            name: "a",
            comment: "b",
            hasHeaderChecksum: true
        ),
        ForeignGzip(testDescription: "small blocks", blockSize: 10),
        ForeignGzip(testDescription: "flushed", endsWithEmptyBlock: true),
    ]

    struct Case: Sendable, CustomTestStringConvertible {
        var shape: ForeignGzip
        var piece: Int
        var testDescription: String { "\(shape.testDescription), pieces of \(piece)" }
    }

    private static let cases = shapes.flatMap { shape in [1, 7, 4096].map { Case(shape: shape, piece: $0) } }

    @Test("one member", arguments: cases)
    func oneMember(_ test: Case) throws {
        let content = sampleContent(70_000)
        #expect(try decode(stream: test.shape.member(content), piece: test.piece, scratch: 65_536) == content)
    }

    @Test("several members, some empty, one after the other", arguments: cases)
    func severalMembers(_ test: Case) throws {
        let parts = [sampleContent(1000), [], sampleContent(1), [], sampleContent(5000)]
        let stream = parts.flatMap { test.shape.member($0) }
        #expect(try decode(stream: stream, piece: test.piece, scratch: 4096) == parts.flatMap { $0 })
    }

    @Test("members of ours between foreign ones", arguments: [1, 7, 4096])
    func mixed(piece: Int) throws {
        let content = sampleContent(3000)
        let stream =
            ForeignGzip(testDescription: "", name: "x").member(content) + (try encode(content, level: .isal(3)))
            + ForeignGzip(testDescription: "").member([])
        #expect(try decode(stream: stream, piece: piece, scratch: 4096) == content + content)
    }

    struct Room: Sendable, CustomTestStringConvertible {
        var piece: Int
        var scratch: Int
        var testDescription: String { "pieces of \(piece), room for \(scratch)" }
    }

    @Test(
        "dynamic codes of zlib, with much room for output and with hardly any",
        arguments: [1, 7, 100, 4096].flatMap { piece in
            [1, 2, 16, 258, 1000, 65_536].map { Room(piece: piece, scratch: $0) }
        }
    )
    func zlib(_ room: Room) throws {
        let stream = ZlibSample.stream
        #expect(try decode(stream: stream, piece: room.piece, scratch: room.scratch) == ZlibSample.content)
        let twice = try decode(stream: stream + stream, piece: room.piece, scratch: room.scratch)
        #expect(twice == ZlibSample.content + ZlibSample.content)
    }

    /// Files are multiples of pages: the room is often full exactly when the content ends.
    @Test("content that fills the room exactly", arguments: [1, 7, 4096], [1, 3])
    func exactRoom(piece: Int, times: Int) throws {
        for level in [Codec.GzipLevel.stored, .isal(0), .isal(1), .isal(3)] {
            let content = sampleContent(16_384 * times)
            let stream = try encode(content, level: level) + encode(content, level: level)
            #expect(try decode(stream: stream, piece: piece, scratch: 16_384) == content + content)
        }
    }

    @Test("highly repetitive content, where a few bytes decode to many", arguments: [1, 7, 4096])
    func repetitive(piece: Int) throws {
        let content = [UInt8](repeating: 0, count: 300_000)
        for level in [Codec.GzipLevel.isal(0), .isal(1), .isal(2), .isal(3)] {
            let stream = try encode(content, level: level)
            for scratch in [100, 4096, 300_000] {
                #expect(try decode(stream: stream, piece: piece, scratch: scratch) == content)
            }
        }
    }

    @Test("another method and a wrong magic number are damage", arguments: [(2, UInt8(7)), (0, 0)])
    func hostileHeader(offset: Int, value: UInt8) throws {
        var stream = ForeignGzip(testDescription: "").member(sampleContent(100))
        stream[offset] = value
        #expect(throws: CompressionError.self) { try decode(stream: stream, piece: 4096, scratch: 4096) }
    }

    @Test("a header that its checksum does not confirm is damage", arguments: [1, 4096])
    func headerChecksum(piece: Int) throws {
        var stream = ForeignGzip(testDescription: "", name: "name", hasHeaderChecksum: true).member(sampleContent(100))
        stream[11] ^= 1
        #expect(throws: CompressionError.self) { try decode(stream: stream, piece: piece, scratch: 4096) }
    }
}
