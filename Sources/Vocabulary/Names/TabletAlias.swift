/// The identity of a tablet: its cell and its number within the cell.
///
/// Printed `cell-0000000100`.
package struct TabletAlias: Hashable, Sendable, Comparable, CustomStringConvertible {
    package var cell: String
    package var uid: UInt32

    /// Creates an alias from parts that are known to be good.
    package init(cell: String, uid: UInt32) {
        self.cell = cell
        self.uid = uid
    }

    /// Parses `<cell>-<uid>`; the last dash separates, any zero padding is accepted.
    /// - Throws: ``VocabularyError`` with Vitess's wording.
    package init(_ text: some StringProtocol) throws(VocabularyError) {
        let expected = "^(?P<cell>[-_.a-zA-Z0-9]+)-(?P<uid>[0-9]+)$"
        guard let dash = text.lastIndex(of: "-"), dash > text.startIndex,
            text[..<dash].utf8.allSatisfy(isCellByte),
            case let digits = text[text.index(after: dash)...], !digits.isEmpty, digits.utf8.allSatisfy(isDigit)
        else {
            throw VocabularyError(
                "invalid tablet alias: '\(PrintableText.excerpt(text))', expecting format: '\(expected)'"
            )
        }
        guard let uid = UInt32(digits) else {
            throw VocabularyError(
                "invalid tablet uid in alias '\(PrintableText.excerpt(text))': bad tablet uid: strconv.ParseUint: parsing \"\(PrintableText.excerpt(digits))\": value out of range"
            )
        }
        cell = String(text[..<dash])
        self.uid = uid
    }

    package static func < (left: TabletAlias, right: TabletAlias) -> Bool {
        left.cell == right.cell ? left.uid < right.uid : left.cell.utf8.lexicographicallyPrecedes(right.cell.utf8)
    }

    package var description: String { "\(cell)-\(paddedUID)" }

    /// The uid with at least ten digits, as folder names carry it.
    package var paddedUID: String {
        let digits = String(uid)
        return String(repeating: "0", count: max(0, 10 - digits.count)) + digits
    }
}

private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

private func isCellByte(_ byte: UInt8) -> Bool {
    isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
        || [UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ".")].contains(byte)
}
