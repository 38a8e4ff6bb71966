/// The checksums that InnoDB has had (`innodb_checksum_algorithm`).
///
/// Verified on pages that MySQL 9.7 and MariaDB 10.11 wrote with each setting and page size.
enum PageChecksum {
    /// Stands where a server was told to compute none.
    static let none: UInt32 = 0xdead_beef

    /// `crc32`: header and body, without what is stamped after the checksum.
    static func crc32(_ page: UnsafeRawBufferPointer) -> UInt32 {
        CRC32C.checksum(page.slice(Field.pageNumber..<Field.keyVersion))
            ^ CRC32C.checksum(page.slice(Field.body..<(page.count - Field.trailer)))
    }

    /// `crc32` of a page of compressed rows.
    static func compressedRows(_ page: UnsafeRawBufferPointer) -> UInt32 {
        parts(page).reduce(0) { $0 ^ CRC32C.checksum(page.slice($1)) }
    }

    /// `innodb`: the head's.
    static func foldedBody(_ page: UnsafeRawBufferPointer) -> UInt32 {
        UInt32(
            truncatingIfNeeded: fold(page.slice(Field.pageNumber..<Field.keyVersion))
                &+ fold(page.slice(Field.body..<(page.count - Field.trailer)))
        )
    }

    /// `innodb`: the trailer's.
    static func foldedHead(_ page: UnsafeRawBufferPointer) -> UInt32 {
        UInt32(truncatingIfNeeded: fold(page.slice(0..<Field.keyVersion)))
    }

    /// `innodb` of a page of compressed rows: Adler-32, begun at zero.
    static func adlerRows(_ page: UnsafeRawBufferPointer) -> UInt32 {
        var (low, high) = (UInt32(0), UInt32(0))
        for part in parts(page) {
            for byte in page[part] {
                low = (low + UInt32(byte)) % 65_521
                high = (high + low) % 65_521
            }
        }
        return high << 16 | low
    }

    private static func parts(_ page: UnsafeRawBufferPointer) -> [Range<Int>] {
        [Field.pageNumber..<Field.sequence, Field.pageType..<Field.keyVersion, Field.spaceID..<page.count]
    }

    private static func fold(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        bytes.reduce(0) { fold, byte in
            ((((fold ^ UInt64(byte) ^ 1_653_893_711) << 8) &+ fold) ^ 1_463_735_687) &+ UInt64(byte)
        }
    }
}
