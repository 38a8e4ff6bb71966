/// How the pages of one tablespace lie in its file and carry their checksums.
///
/// Source: the tablespace flags of MySQL 5.7 to 9.7 (`fsp0types.h`) and MariaDB 10.x, at byte 54 of a tablespace's first
/// page. Numbers in pages are big-endian.
package struct TablespaceFormat: Hashable, Sendable {
    /// Where the checksum of a page is, and of what.
    package enum Layout: Hashable, Sendable {
        /// Head and trailer hold the CRC-32C of header and body.
        case crc32
        /// `ROW_FORMAT=COMPRESSED`: the head holds the CRC-32C of three parts.
        case compressedRows
        /// MariaDB's default since 10.5: the last four bytes hold the CRC-32C of all before.
        case fullCRC32
    }

    /// Bytes of a page in the file.
    package var pageSize: Int
    package var layout: Layout
    /// In ``Layout/fullCRC32``: some pages may be compressed as a whole.
    var mayCompressPages: Bool
    /// The system tablespace, whose old doublewrite area holds copies of other pages.
    package var isSystem: Bool

    /// So many bytes of the first page tell everything.
    package static let headerSize = 64
    /// The largest page that InnoDB has; every page size divides it.
    package static let largestPage = 1 << 16

    /// Reads the first page of a tablespace; `nil` when it is none.
    /// - Parameter page: its first bytes, at least ``headerSize``.
    package init?(firstPage page: UnsafeRawBufferPointer) {
        guard page.count >= Self.headerSize, page.number(at: Field.pageNumber) == 0,
            page.short(at: Field.pageType) == PageType.spaceHeader
        else { return nil }
        let flags = page.number(at: Field.spaceFlags)
        isSystem = page.number(at: Field.spaceID) == 0
        if flags & Flag.fullCRC32 != 0 {
            guard let size = Self.pageSize(shift: flags & 0xf) else { return nil }
            (pageSize, layout) = (size, .fullCRC32)
            mayCompressPages = flags >> 5 & 0x7 != 0
            return
        }
        let rows = flags >> 1 & 0xf
        guard rows <= 5, let size = Self.pageSize(shift: flags >> 6 & 0xf) else { return nil }
        layout = rows == 0 ? .crc32 : .compressedRows
        pageSize = rows == 0 ? size : 512 << Int(rows)
        mayCompressPages = false
    }

    private static func pageSize(shift: UInt32) -> Int? {
        if shift == 0 { return 1 << 14 }
        return (3...7).contains(shift) ? 512 << Int(shift) : nil
    }

    private enum Flag {
        static let fullCRC32: UInt32 = 1 << 4
    }
}

/// Places in a page.
enum Field {
    static let checksum = 0
    static let pageNumber = 4
    static let sequence = 16
    static let sequenceLow = 20
    static let pageType = 24
    static let keyVersion = 26
    static let encryptedChecksum = 30
    static let spaceID = 34
    static let body = 38
    static let spaceFlags = 54
    static let trailer = 8
}

/// Values of ``Field/pageType``.
enum PageType {
    static let spaceHeader: UInt16 = 8
    /// Compressed, encrypted, both, and an encrypted R-tree.
    static let mysqlTransformed: ClosedRange<UInt16> = 14...17
    /// MariaDB's compressed, and compressed and encrypted.
    static let mariaDBTransformed: [UInt16] = [34_354, 37_401]
    /// In ``TablespaceFormat/Layout/fullCRC32``.
    static let compressedMark: UInt16 = 1 << 15
}

extension UnsafeRawBufferPointer {
    func number(at offset: Int) -> UInt32 { UInt32(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
    func short(at offset: Int) -> UInt16 { UInt16(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self)) }
    func slice(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self[range]) }
}
