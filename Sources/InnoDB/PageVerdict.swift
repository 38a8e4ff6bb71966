/// What a page's own checksum says of it.
package enum PageVerdict: Hashable, Sendable {
    case good
    /// It carries no checksum of what is in the file: encrypted, compressed as a whole, or written without one.
    case unchecked
    /// It is not what InnoDB wrote, with the reason.
    case bad(String)

    /// Judges one page.
    /// - Parameters:
    ///   - page: exactly one page, as it lies in the file.
    ///   - number: its index in the tablespace; `nil` when that is not known.
    ///   - format: how the tablespace carries checksums.
    package init(_ page: UnsafeRawBufferPointer, number: UInt32?, format: TablespaceFormat) {
        precondition(page.count == format.pageSize)
        if format.isCopyOfAnother(number) {
            self = .unchecked
        } else if let reason = format.fault(of: page) {
            // Never written, or freed and wiped.
            self = page.isAllZero ? .good : format.secondVerdict(of: page, number, reason)
        } else {
            self = Self.misplaced(page, number) ?? .good
        }
    }

    fileprivate static func misplaced(_ page: UnsafeRawBufferPointer, _ number: UInt32?) -> PageVerdict? {
        guard let number, page.number(at: Field.pageNumber) != number else { return nil }
        return .bad("it is page \(page.number(at: Field.pageNumber)) in the place of page \(number)")
    }
}

extension TablespaceFormat {
    /// Pages of the system tablespace that are, or were, the doublewrite buffer: copies of pages from anywhere.
    fileprivate func isCopyOfAnother(_ number: UInt32?) -> Bool {
        guard isSystem, let number else { return false }
        let extent = UInt32(max(1 << 20 / pageSize, 64))
        return (extent..<(3 * extent)).contains(number)
    }

    /// Why the usual checksum does not fit; `nil` when it does.
    fileprivate func fault(of page: UnsafeRawBufferPointer) -> String? {
        let size = pageSize
        switch layout {
        case .crc32:
            let (head, tail) = (page.number(at: Field.checksum), page.number(at: size - Field.trailer))
            if page.number(at: Field.sequenceLow) != page.number(at: size - 4) {
                return "head and tail were written at different times"
            }
            let expected = PageChecksum.crc32(page)
            return head == expected && tail == expected ? nil : Self.mismatch(head, expected)
        case .compressedRows:
            let (head, expected) = (page.number(at: Field.checksum), PageChecksum.compressedRows(page))
            return head == expected ? nil : Self.mismatch(head, expected)
        case .fullCRC32:
            let end = fullCRC32Length(page)
            let (tail, expected) = (page.number(at: end - 4), CRC32C.checksum(page.slice(0..<(end - 4))))
            return tail == expected ? nil : Self.mismatch(tail, expected)
        }
    }

    /// A page that is compressed as a whole says how much of it is used, in units of 256 bytes.
    private func fullCRC32Length(_ page: UnsafeRawBufferPointer) -> Int {
        let type = page.short(at: Field.pageType)
        guard mayCompressPages, type & PageType.compressedMark != 0 else { return pageSize }
        let length = Int(type & ~PageType.compressedMark) << 8
        return (256...pageSize).contains(length) ? length : pageSize
    }

    private static func mismatch(_ stored: UInt32, _ expected: UInt32) -> String {
        "its checksum is \(String(stored, radix: 16)), its content has \(String(expected, radix: 16))"
    }

    /// Judges a page whose usual checksum does not fit: by the older algorithms, which one tablespace may mix with the
    /// usual one, and by what is readable of pages that are encrypted or compressed as a whole.
    fileprivate func secondVerdict(
        of page: UnsafeRawBufferPointer,
        _ number: UInt32?,
        _ reason: String
    ) -> PageVerdict {
        if layout == .fullCRC32 { return .bad(reason) }
        if let verdict = PageVerdict.misplaced(page, number) { return verdict }
        let head = page.number(at: Field.checksum)
        if isTransformed(page) { return .unchecked }
        if page.number(at: Field.keyVersion) != 0 {
            // MariaDB keeps the checksum of what it has encrypted behind the version of the key.
            let expected = layout == .crc32 ? PageChecksum.crc32(page) : PageChecksum.compressedRows(page)
            if page.number(at: Field.encryptedChecksum) == expected { return .good }
        }
        switch layout {
        case .crc32:
            guard page.number(at: Field.sequenceLow) == page.number(at: pageSize - 4) else { return .bad(reason) }
            let tail = page.number(at: pageSize - Field.trailer)
            if head == PageChecksum.none, tail == PageChecksum.none { return .unchecked }
            return head == PageChecksum.foldedBody(page) && tail == PageChecksum.foldedHead(page) ? .good : .bad(reason)
        case .compressedRows:
            if head == PageChecksum.none { return .unchecked }
            return head == PageChecksum.adlerRows(page) ? .good : .bad(reason)
        case .fullCRC32: return .bad(reason)
        }
    }

    /// Whether the page says that its content is encrypted or compressed as a whole.
    private func isTransformed(_ page: UnsafeRawBufferPointer) -> Bool {
        let type = page.short(at: Field.pageType)
        return PageType.mysqlTransformed.contains(type) || PageType.mariaDBTransformed.contains(type)
    }
}

extension UnsafeRawBufferPointer {
    fileprivate var isAllZero: Bool { allSatisfy { $0 == 0 } }
}
