import Testing

@testable import InnoDB

/// Pages made by hand from the published layouts; `PageCheckOnServerTests` has what real servers write.
@Suite("pages of InnoDB")
struct PageVerdictTests {
    private enum Kind: CaseIterable { case crc32, rows, full }

    /// A page with checksums as `kind` has them; computed bit by bit, not by what is tested.
    private static func page(_ kind: Kind, number: UInt32, size: Int, type: UInt16 = 17_855) -> [UInt8] {
        var page = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ Int(number)) }
        put(number, &page, 4)
        put(UInt32(type) << 16, &page, 24)
        put(5, &page, 34)
        switch kind {
        case .crc32:
            put(0x1234, &page, 20)
            put(0x1234, &page, size - 4)
            let sum = crc(page[4..<26]) ^ crc(page[38..<(size - 8)])
            put(sum, &page, 0)
            put(sum, &page, size - 8)
        case .rows: put(crc(page[4..<16]) ^ crc(page[24..<26]) ^ crc(page[34..<size]), &page, 0)
        case .full: put(crc(page[0..<(size - 4)]), &page, size - 4)
        }
        return page
    }

    private static func put(_ value: UInt32, _ page: inout [UInt8], _ offset: Int) {
        for index in 0..<4 { page[offset + index] = UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32(index))) }
    }

    private static func crc(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var value = ~UInt32(0)
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0x82f6_3b78 : value >> 1 }
        }
        return ~value
    }

    private static func first(flags: UInt32, space: UInt32 = 5) -> [UInt8] {
        var page = [UInt8](repeating: 0, count: 1 << 14)
        put(8 << 16, &page, 24)
        put(space, &page, 34)
        put(flags, &page, 54)
        return page
    }

    private static func format(_ flags: UInt32, space: UInt32 = 5) -> TablespaceFormat? {
        first(flags: flags, space: space).withUnsafeBytes { TablespaceFormat(firstPage: $0) }
    }

    private static func verdict(_ page: [UInt8], number: UInt32?, _ format: TablespaceFormat) -> PageVerdict {
        page.withUnsafeBytes { PageVerdict($0, number: number, format: format) }
    }

    private static func format(_ kind: Kind) throws -> TablespaceFormat {
        let flags: UInt32 =
            switch kind {
            case .crc32: 0x21
            // Rows of 8 KiB.
            case .rows: 0x21 | 4 << 1
            case .full: 0x15
            }
        return try #require(format(flags))
    }

    @Test("flags give page size and layout, nonsense gives nothing")
    func formats() throws {
        #expect(Self.format(0)?.pageSize == 16_384)
        for (shift, size) in [(3, 4096), (4, 8192), (5, 16_384), (6, 32_768), (7, 65_536)] {
            #expect(Self.format(UInt32(shift) << 6)?.pageSize == size)
            #expect(Self.format(0x10 | UInt32(shift))?.pageSize == size)
            #expect(Self.format(0x10 | UInt32(shift))?.layout == .fullCRC32)
        }
        for (shift, size) in [(1, 1024), (2, 2048), (3, 4096), (4, 8192), (5, 16_384)] {
            let format = Self.format(0x21 | UInt32(shift) << 1)
            #expect(format?.pageSize == size)
            #expect(format?.layout == .compressedRows)
        }
        #expect(Self.format(0, space: 0)?.isSystem == true)
        #expect(Self.format(0)?.isSystem == false)
        for nonsense in [UInt32(6) << 1, 1 << 6, 2 << 6, 8 << 6, 0x18, 0x11] { #expect(Self.format(nonsense) == nil) }
        var other = Self.first(flags: 0)
        other[25] = 5
        #expect(other.withUnsafeBytes { TablespaceFormat(firstPage: $0) } == nil)
    }

    @Test("every changed byte is seen but those that no checksum covers", arguments: Kind.allCases)
    private func flips(kind: Kind) throws {
        let format = try Self.format(kind)
        let page = Self.page(kind, number: 7, size: format.pageSize)
        #expect(Self.verdict(page, number: 7, format) == .good)
        #expect(Self.verdict(page, number: nil, format) == .good)
        var unseen: [Int] = []
        for offset in 0..<format.pageSize {
            var changed = page
            changed[offset] ^= 0x40
            if Self.verdict(changed, number: 7, format) == .good { unseen.append(offset) }
        }
        let uncovered: [Int] =
            switch kind {
            case .crc32: Array(26..<38)
            case .rows: Array(16..<24) + Array(26..<34)
            case .full: []
            }
        #expect(unseen == uncovered)
    }

    @Test("a page in the place of another is bad, an empty one is good", arguments: Kind.allCases)
    private func places(kind: Kind) throws {
        let format = try Self.format(kind)
        let verdict = Self.verdict(Self.page(kind, number: 7, size: format.pageSize), number: 8, format)
        #expect(verdict == .bad("it is page 7 in the place of page 8"))
        #expect(Self.verdict([UInt8](repeating: 0, count: format.pageSize), number: 8, format) == .good)
    }

    @Test(
        "encrypted and compressed pages are unchecked where they say so and stand in their place",
        arguments: [14, 15, 16, 17, 34_354, 37_401]
    )
    func transformed(type: UInt16) throws {
        let format = try #require(Self.format(0x21))
        var page = Self.page(.crc32, number: 7, size: 16_384, type: type)
        page[100] ^= 1
        #expect(Self.verdict(page, number: 7, format) == .unchecked)
        guard case .bad = Self.verdict(page, number: 8, format) else {
            Issue.record("not bad")
            return
        }
    }

    @Test("MariaDB's encrypted pages carry the checksum of what is in the file")
    func encrypted() throws {
        let format = try #require(Self.format(0x21))
        var page = Self.page(.crc32, number: 7, size: 16_384)
        page[100] ^= 1
        Self.put(3, &page, 26)
        guard case .bad = Self.verdict(page, number: 7, format) else {
            Issue.record("not bad")
            return
        }
        Self.put(Self.crc(page[4..<26]) ^ Self.crc(page[38..<16_376]), &page, 30)
        #expect(Self.verdict(page, number: 7, format) == .good)
    }

    @Test("MariaDB's compressed pages carry the checksum of the part that is used")
    func compressed() throws {
        let format = try #require(Self.format(0x15 | 1 << 5))
        var page = Self.page(.full, number: 7, size: 16_384, type: 0x8000 | 4)
        Self.put(Self.crc(page[0..<1020]), &page, 1020)
        #expect(Self.verdict(page, number: 7, format) == .good)
        // Without the tablespace's mark the type is no length.
        guard case .bad = Self.verdict(page, number: 7, try #require(Self.format(0x15))) else {
            Issue.record("not bad")
            return
        }
        page[500] ^= 1
        guard case .bad = Self.verdict(page, number: 7, format) else {
            Issue.record("not bad")
            return
        }
    }

    @Test("pages of a server without checksums are unchecked")
    func none() throws {
        var page = Self.page(.crc32, number: 7, size: 16_384)
        for offset in [0, 16_376] { Self.put(0xdead_beef, &page, offset) }
        #expect(Self.verdict(page, number: 7, try #require(Self.format(0x21))) == .unchecked)
        Self.put(1, &page, 16_380)
        guard case .bad = Self.verdict(page, number: 7, try #require(Self.format(0x21))) else {
            Issue.record("not bad")
            return
        }
    }

    @Test("the old doublewrite area of the system tablespace holds copies from anywhere")
    func doublewrite() throws {
        let system = try #require(Self.format(0, space: 0))
        let copy = Self.page(.crc32, number: 9, size: 16_384)
        #expect(Self.verdict(copy, number: 64, system) == .unchecked)
        #expect(Self.verdict(copy, number: 191, system) == .unchecked)
        for number: UInt32 in [63, 192] { #expect(Self.verdict(copy, number: number, system) != .unchecked) }
    }
}
