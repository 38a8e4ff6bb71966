/// What a page's own checksum says of it.
package enum PageVerdict: Hashable, Sendable {
    case good
    /// Encrypted or compressed as a whole: it cannot be told here.
    case unchecked
    /// It is not what InnoDB wrote, with the reason.
    case bad(String)

    /// Judges one page.
    /// - Parameters:
    ///   - page: exactly one page, as it lies in the file.
    ///   - number: its index in the file; `nil` in a file that does not begin with page 0.
    ///   - format: how the tablespace carries checksums.
    package init(_ page: UnsafeRawBufferPointer, number: UInt32?, format: TablespaceFormat) {
        precondition(page.count == format.pageSize)
        if format.isCopyOfAnother(number) {
            self = .unchecked
        } else if let reason = format.fault(of: page) {
            // Never written, or freed and wiped.
            if page.isAllZero {
                self = .good
            } else {
                self = format.isTransformed(page) ? .unchecked : .bad(reason)
            }
        } else if let number, page.number(at: Field.pageNumber) != number {
            self = .bad("it is page \(page.number(at: Field.pageNumber)) in the place of page \(number)")
        } else {
            self = .good
        }
    }
}

extension TablespaceFormat {
    /// Pages of the system tablespace that were the doublewrite buffer: copies of pages from anywhere.
    fileprivate func isCopyOfAnother(_ number: UInt32?) -> Bool {
        guard isSystem, let number else { return false }
        let extent = UInt32(max(1 << 20 / pageSize, 64))
        return (extent..<(3 * extent)).contains(number)
    }

    /// Why the checksum does not fit; `nil` when it does.
    fileprivate func fault(of page: UnsafeRawBufferPointer) -> String? {
        let size = pageSize
        switch layout {
        case .crc32:
            let (head, tail) = (page.number(at: Field.checksum), page.number(at: size - Field.trailer))
            let expected =
                CRC32C.checksum(page.slice(Field.pageNumber..<Field.keyVersion))
                ^ CRC32C.checksum(page.slice(Field.body..<(size - Field.trailer)))
            let sequences = (page.number(at: Field.sequenceLow), page.number(at: size - 4))
            if sequences.0 != sequences.1 { return "head and tail were written at different times" }
            if head == expected, tail == expected { return nil }
            return Self.mismatch(head, expected)
        case .compressedRows:
            let expected =
                CRC32C.checksum(page.slice(Field.pageNumber..<Field.sequence))
                ^ CRC32C.checksum(page.slice(Field.pageType..<Field.keyVersion))
                ^ CRC32C.checksum(page.slice(Field.spaceID..<size))
            let head = page.number(at: Field.checksum)
            return head == expected ? nil : Self.mismatch(head, expected)
        case .fullCRC32:
            let expected = CRC32C.checksum(page.slice(0..<(size - 4)))
            let tail = page.number(at: size - 4)
            return tail == expected ? nil : Self.mismatch(tail, expected)
        }
    }

    private static func mismatch(_ stored: UInt32, _ expected: UInt32) -> String {
        "its checksum is \(String(stored, radix: 16)), its content has \(String(expected, radix: 16))"
    }

    /// Whether the page says that its content is encrypted or compressed as a whole.
    fileprivate func isTransformed(_ page: UnsafeRawBufferPointer) -> Bool {
        let type = page.short(at: Field.pageType)
        switch layout {
        case .fullCRC32: return mayCompressPages && type & PageType.compressedMark != 0
        case .crc32, .compressedRows:
            // MariaDB's older layout has no type for an encrypted page, only the version of its key.
            if isEncrypted { return PageType.mysqlTransformed.contains(type) || page.number(at: Field.keyVersion) != 0 }
            return mayCompressPages
                && (PageType.mariaDBTransformed.contains(type) || PageType.mysqlTransformed.lowerBound == type)
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate var isAllZero: Bool { allSatisfy { $0 == 0 } }
}
