import NIOCore
import Testing

@testable import Compression

@Suite("LZ4 frames")
struct LZ4Tests {
    private static let levels: [Codec.LZ4Level] = [.fast, .high(2), .high(9)]

    /// A whole object of ours.
    private func object(_ content: [UInt8], level: Codec.LZ4Level = .fast, chunk: Int = 10_000) throws -> [UInt8] {
        let frame = LZ4FrameWriter()
        let blocks = try encode(content, with: LZ4BlockEncoder(level: level), chunk: chunk)
        frame.add(ByteBuffer(bytes: content))
        return Array(frame.header.readableBytesView) + blocks + Array(frame.end.readableBytesView)
    }

    /// Decodes as the parallel reader does: header, blocks, end.
    private func decodeBlocks(_ object: [UInt8]) throws -> [UInt8] {
        var received = ByteBuffer(bytes: object)
        let header = try #require(try received.withUnsafeReadableBytes { try LZ4FrameHeader($0) })
        received.moveReaderIndex(forwardBy: header.length)
        let checksum = XXHash32()
        var content = ByteBuffer()
        while true {
            switch try LZ4Block.next(in: header, from: &received) {
            case .block(let block):
                var decoded = try block.decoded(maximum: header.maximumBlock)
                checksum.update(decoded)
                content.writeBuffer(&decoded)
            case .end(let expected):
                #expect(expected == checksum.value)
                #expect(received.readableBytes == 0)
                return Array(content.readableBytesView)
            case .incomplete(let needed): throw CompressionError(.corrupt, "needs \(needed)")
            }
        }
    }

    @Test("decodes block by block and with the C library's frame reader", arguments: levels)
    func roundTrip(level: Codec.LZ4Level) throws {
        for content in [[], sampleContent(1), sampleContent(35_000), noise(25_000), sampleContent(10_000)] {
            let object = try object(content, level: level)
            #expect(try decodeBlocks(object) == content)
            for (piece, scratch) in [(1, 1000), (7, 7), (4096, 65_536)] {
                #expect(try decode(object, with: LZ4Decoder(), piece: piece, scratch: scratch) == content)
            }
        }
    }

    @Test("the header says independent blocks of 1 MiB and a content checksum")
    func header() throws {
        let bytes = Array(LZ4FrameWriter().header.readableBytesView)
        #expect(bytes.prefix(6) == [0x04, 0x22, 0x4D, 0x18, 0x64, 0x60])
        let header = try #require(try bytes.withUnsafeBytes { try LZ4FrameHeader($0) })
        #expect(header.length == 7)
        #expect(header.maximumBlock == 1 << 20)
        #expect(header.hasIndependentBlocks && header.hasContentChecksum && !header.hasBlockChecksums)
        #expect(header.contentLength == nil)
    }

    @Test("noise is stored, not grown")
    func stored() throws {
        let block = try encode(noise(10_000), with: LZ4BlockEncoder(level: .fast), chunk: 10_000)
        #expect(block.count == 10_004)
        #expect(block[3] & 0x80 != 0)
    }

    @Test("an object that ends anywhere too early is found")
    func truncated() throws {
        let object = try object(sampleContent(300))
        for count in 1..<object.count {
            let part = Array(object[..<count])
            #expect(throws: CompressionError.self, "\(count) bytes") {
                try decode(part, with: LZ4Decoder(), piece: 64, scratch: 64)
            }
            if count >= 7 { #expect(throws: CompressionError.self) { try decodeBlocks(part) } }
        }
        #expect(try decode([], with: LZ4Decoder(), piece: 1, scratch: 64) == [])
    }

    @Test("a block longer than the frame allows, and a damaged header, are corrupt")
    func damaged() throws {
        var object = try object(sampleContent(300))
        for index in 4..<7 {
            var header = Array(object[..<7])
            header[index] ^= 0x40
            let error = #expect(throws: CompressionError.self) {
                _ = try header.withUnsafeBytes { try LZ4FrameHeader($0) }
            }
            #expect(error?.code == .corrupt)
        }
        object[9] = 0x20
        let error = #expect(throws: CompressionError.self) { try decodeBlocks(object) }
        #expect(error?.message.contains("in a frame of 1048576 at most") == true)
    }

    @Test("whole frames that are not for us are unsupported and say the way out; they are not corrupt")
    func limits() throws {
        func header(_ flags: UInt8, _ more: [UInt8] = []) -> [UInt8] {
            let descriptor = [flags, 0x40] + more
            let checksum = descriptor.withUnsafeBytes { XXHash32.of($0) }
            return [0x04, 0x22, 0x4d, 0x18] + descriptor + [UInt8(truncatingIfNeeded: checksum >> 8)]
        }
        let legacy: [UInt8] = [0x02, 0x21, 0x4c, 0x18, 5, 0, 0, 0, 0x40, 1, 2, 3, 4]
        for bytes in [header(0xa0), header(0x61, [7, 0, 0, 0]), legacy] {
            let error = #expect(throws: CompressionError.self) {
                _ = try bytes.withUnsafeBytes { try LZ4FrameHeader($0) }
            }
            #expect(error?.code == .unsupported)
            #expect(error?.message.contains("HINT: write \"external\"") == true)
        }
        // Behind a frame that is for us, too.
        let error = #expect(throws: CompressionError.self) {
            try decode(try object(sampleContent(300)) + legacy, with: LZ4Decoder(), piece: 1 << 20, scratch: 1 << 16)
        }
        #expect(error?.code == .unsupported)
    }

    @Test("wrong stored bytes never decode to more than a block")
    func garbage() throws {
        for seed in 0..<50 {
            var bytes = noise(64 + seed)
            bytes[0] = UInt8(truncatingIfNeeded: seed)
            let block = LZ4Block(bytes: ByteBuffer(bytes: bytes), isStored: false, checksum: nil)
            if let content = try? block.decoded(maximum: 1000) { #expect(content.readableBytes <= 1000) }
        }
    }

    @Test("a block's checksum is checked where a frame has such")
    func blockChecksum() throws {
        let bytes = sampleContent(100)
        let right = bytes.withUnsafeBytes { XXHash32.of($0) }
        let block = LZ4Block(bytes: ByteBuffer(bytes: bytes), isStored: true, checksum: right)
        #expect(Array(try block.decoded(maximum: 100).readableBytesView) == bytes)
        let wrong = LZ4Block(bytes: ByteBuffer(bytes: bytes), isStored: true, checksum: right ^ 1)
        #expect(throws: CompressionError.self) { try wrong.decoded(maximum: 100) }
    }
}
