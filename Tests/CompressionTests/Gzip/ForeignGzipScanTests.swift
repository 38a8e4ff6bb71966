import Testing

@testable import Compression

@Suite("members of other gzip writers, found without decoding")
struct ForeignGzipScanTests {
    private static let header: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 0xff]

    @Test("headers that vary from member to member are not looked for")
    func refused() {
        for (index, value) in [(0, UInt8(0)), (2, 7), (3, 8), (4, 1), (7, 0x65)] {
            var header = Self.header
            header[index] = value
            #expect(header.withUnsafeBytes { ForeignGzipScan(first: $0) } == nil, "byte \(index)")
        }
        #expect(Self.header.dropLast().withUnsafeBytes { ForeignGzipScan(first: $0) } == nil)
    }

    @Test("the next header is found wherever the bytes were cut before", arguments: [11, 30, 100])
    func found(length: Int) throws {
        let scan = try #require(Self.header.withUnsafeBytes { ForeignGzipScan(first: $0) })
        let bytes = Self.header + [UInt8](repeating: 0x1f, count: length - 10) + Self.header + [1, 2, 3]
        for seen in 0...bytes.count - 3 where seen < length + 10 {
            #expect(bytes.withUnsafeBytes { scan.end(ofMemberIn: $0, from: seen) } == length, "seen \(seen)")
        }
        #expect(bytes.dropLast(4).withUnsafeBytes { scan.end(ofMemberIn: $0, from: 0) } == nil)
    }

    @Test("the length of the content is the last word of the member, within bounds")
    func contentLength() {
        var member = Self.header + [UInt8](repeating: 0, count: 20) + [0x10, 0x27, 0, 0]
        #expect(member.withUnsafeBytes { ForeignGzipScan.contentLength(ofMember: $0, length: member.count) } == 10_000)
        #expect(member.withUnsafeBytes { ForeignGzipScan.contentLength(ofMember: $0, length: member.count + 1) } == nil)
        #expect(member.withUnsafeBytes { ForeignGzipScan.contentLength(ofMember: $0, length: 12) } == nil)
        member[member.count - 1] = 0x7f
        #expect(member.withUnsafeBytes { ForeignGzipScan.contentLength(ofMember: $0, length: member.count) } == nil)
    }
}
