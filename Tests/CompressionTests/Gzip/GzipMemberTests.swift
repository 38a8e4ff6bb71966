import Testing

@testable import Compression

@Suite("Header of our gzip members")
struct GzipMemberTests {
    private static func bytes(length: UInt32, content: UInt32) -> [UInt8] {
        [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 4, 0xff, 12, 0, 0x56, 0x54, 8, 0] + littleEndian(length) + littleEndian(content)
    }

    private static func littleEndian(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    private func parse(_ bytes: [UInt8]) throws -> GzipMember? {
        try bytes.withUnsafeBytes { header in try GzipMember(header: header) }
    }

    @Test("is 24 bytes with the lengths of member and content")
    func written() {
        var bytes = [UInt8](repeating: 0xaa, count: 32)
        bytes.withUnsafeMutableBytes { target in
            if let base = target.baseAddress {
                GzipMember(length: 0x0102_0304, contentLength: 0x0a0b_0c0d).write(to: base)
            }
        }
        #expect(Array(bytes[..<24]) == Self.bytes(length: 0x0102_0304, content: 0x0a0b_0c0d))
        #expect(bytes[24...].allSatisfy { $0 == 0xaa })
    }

    @Test("every member that the encoder makes begins with it", arguments: [0, 1, 1000, 250_000])
    func encoded(size: Int) throws {
        let member = try encode(sampleContent(size), level: .isal(1))
        #expect(Array(member[..<24]) == Self.bytes(length: UInt32(member.count), content: UInt32(size)))
        #expect(try parse(member) == GzipMember(length: member.count, contentLength: size))
    }

    struct Foreign: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var offset: Int
        var value: UInt8
    }

    @Test(
        "other gzip headers are not ours",
        arguments: [
            Foreign(testDescription: "no gzip", offset: 0, value: 0x1e),
            Foreign(testDescription: "another method", offset: 2, value: 7),
            Foreign(testDescription: "with a file name", offset: 3, value: 12),
            Foreign(testDescription: "with a time", offset: 5, value: 1),
            Foreign(testDescription: "another system", offset: 9, value: 3),
            Foreign(testDescription: "a longer extra field", offset: 10, value: 13),
            Foreign(testDescription: "another subfield", offset: 13, value: 0x55),
            Foreign(testDescription: "another length of the subfield", offset: 14, value: 7),
        ]
    )
    func foreign(_ test: Foreign) throws {
        var bytes = Self.bytes(length: 100, content: 100)
        #expect(try parse(bytes) != nil)
        bytes[test.offset] = test.value
        #expect(try parse(bytes) == nil)
    }

    @Test("fewer than 24 bytes are none", arguments: [0, 1, 23])
    func short(count: Int) throws {
        #expect(try parse(Array(Self.bytes(length: 100, content: 100).prefix(count))) == nil)
    }

    struct Lengths: Sendable, CustomTestStringConvertible {
        var length: UInt32
        var content: UInt32
        var isPossible: Bool
        var testDescription: String { "\(length) bytes for \(content)" }
    }

    @Test(
        "lengths that no member can have are an error",
        arguments: [
            Lengths(length: 34, content: 0, isPossible: true),
            Lengths(length: 33, content: 0, isPossible: false),
            Lengths(length: 0, content: 0, isPossible: false),
            Lengths(length: 4096, content: 0, isPossible: true),
            Lengths(length: 4097, content: 0, isPossible: false),
            Lengths(length: 34, content: 32 << 20, isPossible: true),
            Lengths(length: .max, content: 32 << 20, isPossible: false),
        ]
    )
    func lengths(_ test: Lengths) throws {
        let bytes = Self.bytes(length: test.length, content: test.content)
        if test.isPossible {
            #expect(try parse(bytes) == GzipMember(length: Int(test.length), contentLength: Int(test.content)))
        } else {
            #expect(#expect(throws: CompressionError.self) { try parse(bytes) }?.code == .corrupt)
        }
    }

    @Test("a member larger than what is decoded in one go is none of ours, and no error")
    func large() throws {
        #expect(try parse(Self.bytes(length: 34, content: (32 << 20) + 1)) == nil)
        #expect(try parse(Self.bytes(length: .max, content: .max)) == nil)
    }
}
