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

    @Test("what is beyond our limits, or not for us, is unsupported and says the way out; it is not corrupt")
    func limits() throws {
        // 1 GiB and 128 MiB windows without a content size, a dictionary, version 0.7.
        let tooLarge: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa0, 0x01, 0x00, 0x00]
        let withDictionary: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x21, 0x07, 0x01, 0x09, 0x00, 0x00, 0x58]
        let old: [UInt8] = [0x27, 0xb5, 0x2f, 0xfd] + [UInt8](repeating: 0, count: 14)
        for header in [tooLarge, old] {
            let error = #expect(throws: CompressionError.self) { try ZstdFrame(header: header) }
            #expect(error?.code == .unsupported)
            #expect(error?.message.contains("HINT: write \"external\"") == true)
        }
        for stream in [tooLarge, withDictionary] {
            for piece in [1, 100] {
                let error = #expect(throws: CompressionError.self) {
                    try decode(stream, with: ZstdDecoder(), piece: piece, scratch: 64)
                }
                #expect(error?.code == .unsupported)
                #expect(error?.message.contains("HINT: write \"external\"") == true, "\(error?.message ?? "")")
            }
        }
        let error = #expect(throws: CompressionError.self) {
            var room: [UInt8] = [0]
            try withDictionary.withUnsafeBytes { bytes in
                try room.withUnsafeMutableBytes { try ZstdDecoder().decode(bytes, into: $0) }
            }
        }
        #expect(error?.code == .unsupported)
    }

    @Test("a later frame whose window is larger than the decoder's says how large it is", arguments: [1, 5, 1000])
    func laterWindow(piece: Int) throws {
        let small = try encode(sampleContent(500), with: ZstdEncoder(level: 1), chunk: 500)
        let large: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88, 0x01, 0x00, 0x00]
        let stream = small + large
        let error = #expect(throws: ZstdWindowExceeded.self) {
            try decode(stream, with: ZstdDecoder(maximumWindow: 8 << 20), piece: piece, scratch: 64)
        }
        #expect(error?.needed == 128 << 20)
        #expect(
            try decode(stream, with: ZstdDecoder(maximumWindow: 128 << 20), piece: piece, scratch: 64)
                == sampleContent(500)
        )
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
