import NIOCore
import Storage
import Testing

@testable import Compression

@Suite("Gzip members, there and back")
struct RoundTripTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var level: Codec.GzipLevel
        var size: Int
        var testDescription: String { "\(level), \(size) bytes" }
    }

    private static let levels: [Codec.GzipLevel] = [.stored, .isal(0), .isal(1), .isal(2), .isal(3)]
    private static let cases = levels.flatMap { level in
        [0, 1, 24, 65_535, 65_536, 250_000].map { Case(level: level, size: $0) }
    }

    @Test("a whole member decodes to its content", arguments: cases)
    func member(_ test: Case) throws {
        let content = sampleContent(test.size)
        let member = try encode(content, level: test.level)
        #expect(member.count <= Codec.bound(test.size))
        #expect(try decode(member: member, contentLength: test.size) == content)
    }

    @Test("the streaming decoder, which knows nothing of our header, agrees", arguments: cases)
    func stream(_ test: Case) throws {
        let content = sampleContent(test.size)
        let member = try encode(content, level: test.level)
        #expect(try decode(stream: member, piece: 4096, scratch: 65_536) == content)
    }

    @Test("ends with CRC-32 and length of the content", arguments: cases)
    func trailer(_ test: Case) throws {
        let content = sampleContent(test.size)
        var crc = CRC32()
        crc.update(ByteBuffer(bytes: content))
        var trailer = ByteBuffer(bytes: try encode(content, level: test.level).suffix(8))
        #expect(trailer.readInteger(endianness: .little, as: UInt32.self) == crc.value)
        #expect(trailer.readInteger(endianness: .little, as: UInt32.self) == UInt32(test.size))
    }

    @Test("incompressible content fits into the bound", arguments: levels)
    func incompressible(level: Codec.GzipLevel) throws {
        var state: UInt64 = 1
        let content = (0..<250_000).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
        let member = try encode(content, level: level)
        #expect(member.count <= Codec.bound(content.count))
        #expect(try decode(member: member, contentLength: content.count) == content)
    }

    @Test("levels compress, stored does not")
    func compresses() throws {
        let content = [UInt8](repeating: 7, count: 250_000)
        for level in Self.levels.dropFirst() { #expect(try encode(content, level: level).count < 10_000) }
        #expect(try encode(content, level: .stored).count == 24 + 4 * 5 + 250_000 + 8)
    }

    @Test("encoder and decoder are used again and again", arguments: levels)
    func reuse(level: Codec.GzipLevel) throws {
        let (encoder, decoder) = (GzipEncoder(level: level), GzipDecoder())
        for size in [1000, 0, 70_000, 3, 1000] {
            let content = sampleContent(size)
            let member = try content.withUnsafeBytes { bytes in try encoder.encode(bytes) }
            var decoded = [UInt8](repeating: 0, count: size)
            try member.withUnsafeReadableBytes { source in
                try decoded.withUnsafeMutableBytes { target in try decoder.decode(source, into: target) }
            }
            #expect(decoded == content)
        }
    }
}
