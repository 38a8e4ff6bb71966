import NIOCore
import Testing

@testable import Compression

@Suite("Zstandard frames")
struct ZstdTests {
    @Test("a frame carries its content's size and decodes to it", arguments: [1, 3, 7, 11])
    func frame(level: Int) throws {
        let (encoder, decoder) = (ZstdEncoder(level: level), ZstdDecoder())
        for content in [[], sampleContent(1), sampleContent(300_000), noise(70_000)] {
            let frame = try encode(content, with: encoder, chunk: max(1, content.count))
            if content.isEmpty {
                #expect(frame.isEmpty, "an empty file is an empty object")
                continue
            }
            try frame.withUnsafeBytes { bytes in
                let header = try #require(try ZstdFrame(header: bytes))
                #expect(header.contentLength == content.count)
                #expect(extent(header, in: frame).length == frame.count)
                var decoded = [UInt8](repeating: 0, count: content.count)
                try decoded.withUnsafeMutableBytes { try decoder.decode(bytes, into: $0) }
                #expect(decoded == content)
            }
        }
    }

    @Test("frames one after another are one stream", arguments: [1, 7, 4096], [1, 1000, 1 << 20])
    func stream(piece: Int, scratch: Int) throws {
        let content = sampleContent(30_000) + noise(3000)
        let stream = try encode(content, with: ZstdEncoder(level: 1), chunk: 10_000)
        #expect(try decode(stream, with: ZstdDecoder(), piece: piece, scratch: scratch) == content)
    }

    @Test("a frame that ends anywhere too early is found, whole or as a stream")
    func truncated() throws {
        let frame = try encode(sampleContent(500), with: ZstdEncoder(level: 1), chunk: 500)
        for count in 1..<frame.count {
            let part = Array(frame[..<count])
            let error = #expect(throws: CompressionError.self, "\(count) bytes") {
                try decode(part, with: ZstdDecoder(), piece: 64, scratch: 64)
            }
            #expect(error?.message.contains("truncated") == true)
            if let header = try ZstdFrame(header: part) {
                let extent = extent(header, in: part)
                #expect(!extent.isWhole || extent.length == frame.count, "\(count) bytes are not the whole frame")
            }
        }
        #expect(try decode([], with: ZstdDecoder(), piece: 1, scratch: 64) == [])
    }

    /// Walks over the blocks that are there.
    private func extent(_ frame: ZstdFrame, in bytes: [UInt8]) -> ZstdFrame.Extent {
        var extent = frame.extent
        while !extent.isWhole,
            extent.pass(Array(bytes.dropFirst(extent.length).prefix(ZstdFrame.Extent.blockHeaderLength)))
        {
        }
        return extent
    }

    @Test("a flipped bit anywhere is found")
    func flipped() throws {
        let content = sampleContent(700)
        let frame = try encode(content, with: ZstdEncoder(level: 1), chunk: 700)
        for index in frame.indices {
            var damaged = frame
            damaged[index] ^= 0x10
            // A bit that carries no meaning may be flipped without harm; wrong content must never come out.
            if let decoded = try? decode(damaged, with: ZstdDecoder(), piece: 256, scratch: 256) {
                #expect(decoded == content, "byte \(index)")
            }
        }
    }

    @Test("a frame that says another size than it has is corrupt")
    func lyingSize() throws {
        let frame = try encode(sampleContent(500), with: ZstdEncoder(level: 1), chunk: 500)
        for size in [499, 501] {
            var room = [UInt8](repeating: 0, count: size)
            #expect(throws: CompressionError.self) {
                try frame.withUnsafeBytes { bytes in
                    try room.withUnsafeMutableBytes { try ZstdDecoder().decode(bytes, into: $0) }
                }
            }
        }
    }

    @Test("a header that is none is refused, an unfinished one asks for more")
    func headers() throws {
        #expect(throws: CompressionError.self) { try ZstdFrame(header: [UInt8](repeating: 7, count: 18)) }
        let frame = try encode(sampleContent(500), with: ZstdEncoder(level: 1), chunk: 500)
        #expect(try ZstdFrame(header: Array(frame[..<5])) == nil)
    }
}

extension ZstdFrame {
    fileprivate init?(header bytes: [UInt8]) throws {
        guard let frame = try bytes.withUnsafeBytes({ try ZstdFrame(header: $0) }) else { return nil }
        self = frame
    }
}
