import Testing

@testable import Compression

@Suite("Damaged gzip")
struct DamageTests {
    private static let levels: [Codec.GzipLevel] = [.stored, .isal(1)]
    private static let content = sampleContent(600)

    @Test("a member that ends anywhere too early is corrupt, whole or as a stream", arguments: levels)
    func truncated(level: Codec.GzipLevel) throws {
        let member = try encode(Self.content, level: level)
        for length in 0..<member.count {
            let part = Array(member[..<length])
            expectCorrupt("member of \(length)") { try decode(member: part, contentLength: Self.content.count) }
            expectCorrupt("stream of \(length)") { try decode(stream: part, piece: 4096, scratch: 4096) }
            expectCorrupt("bytes, \(length)") { try decode(stream: part, piece: 1, scratch: 4096) }
        }
    }

    @Test("a flipped bit behind the header never gives other content", arguments: levels)
    func flipped(level: Codec.GzipLevel) throws {
        let member = try encode(Self.content, level: level)
        var noticed = 0
        for bit in (GzipMember.headerSize * 8)..<(member.count * 8) {
            var damaged = member
            damaged[bit / 8] ^= 1 << (bit % 8)
            // Padding between data and trailer, and a stored block's padding, carry no meaning.
            if try contentOrCorrupt({ try decode(member: damaged, contentLength: Self.content.count) }) == nil {
                noticed += 1
            }
            _ = try contentOrCorrupt { try decode(stream: damaged, piece: 100, scratch: 4096) }
        }
        #expect(noticed >= (member.count - GzipMember.headerSize) * 8 - 14)
    }

    @Test("a member must fill exactly the content that was announced", arguments: levels)
    func otherLength(level: Codec.GzipLevel) throws {
        let member = try encode(Self.content, level: level)
        expectCorrupt("less room") { try decode(member: member, contentLength: Self.content.count - 1) }
        expectCorrupt("more room") { try decode(member: member, contentLength: Self.content.count + 1) }
    }

    @Test("a member must use all of its bytes", arguments: levels)
    func trailingBytes(level: Codec.GzipLevel) throws {
        let member = try encode(Self.content, level: level)
        expectCorrupt("one more byte") { try decode(member: member + [0], contentLength: Self.content.count) }
        expectCorrupt("two members") { try decode(member: member + member, contentLength: Self.content.count) }
    }

    @Test(
        "bytes after the last member are damage",
        arguments: [[0], [0, 0, 0, 0], Array("garbage after the end".utf8)]
    )
    func garbage(after garbage: [UInt8]) throws {
        let stream = try encode(Self.content, level: .isal(1)) + garbage
        expectCorrupt("whole") { try decode(stream: stream, piece: stream.count, scratch: 4096) }
        expectCorrupt("bytes") { try decode(stream: stream, piece: 1, scratch: 4096) }
    }

    @Test("nothing is no stream")
    func empty() {
        expectCorrupt("empty") { try decode(stream: [], piece: 1, scratch: 16) }
    }

    @Test("a decoder that met damage decodes the next stream")
    func recovers() throws {
        let decoder = GzipDecoder()
        let member = try encode(Self.content, level: .isal(1))
        expectCorrupt("damage") {
            try decode(
                stream: Array(member[..<100]) + [0xff, 0xff, 0xff, 0xff],
                piece: 4096,
                scratch: 4096,
                with: decoder
            )
        }
        #expect(try decode(stream: member, piece: 7, scratch: 4096, with: decoder) == Self.content)
    }

    @Test("the error of the receiver passes through")
    func receiverFails() throws {
        struct Full: Error {}
        let member = try encode(Self.content, level: .isal(1))
        let (decoder, room) = (GzipDecoder(), RawBuffer(count: 4096))
        #expect(throws: Full.self) {
            try member.withUnsafeBytes { bytes in
                try decoder.decode(next: bytes, scratch: room.bytes) { _ in throw Full() }
            }
        }
    }

    private func expectCorrupt(_ what: String, _ body: () throws -> [UInt8]) {
        #expect(throws: CompressionError.self, "\(what)") { try body() }
    }

    /// `nil` when the damage was noticed; anything else must be the content itself.
    private func contentOrCorrupt(_ body: () throws -> [UInt8]) throws -> [UInt8]? {
        do {
            let decoded = try body()
            #expect(decoded == Self.content)
            return decoded
        } catch let error as CompressionError {
            #expect(error.code == .corrupt)
            return nil
        }
    }
}
