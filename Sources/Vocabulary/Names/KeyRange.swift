/// The range of keyspace ids that a shard holds: from `start`, included, to `end`, excluded.
///
/// Empty means unbounded.
package struct KeyRange: Hashable, Sendable, CustomStringConvertible {
    package let start: [UInt8]
    package let end: [UInt8]

    /// Parses `<hex>-<hex>`; either side may be empty, both have an even number of digits in either case.
    /// - Throws: ``VocabularyError`` with Vitess's wording.
    package init(_ text: String) throws(VocabularyError) {
        let sides = text.split(separator: "-", omittingEmptySubsequences: false)
        guard sides.count == 2 else {
            throw VocabularyError("invalid shardId, can only contain one '-': \(PrintableText.excerpt(text))")
        }
        start = try Self.bytes(sides[0], of: text)
        end = try Self.bytes(sides[1], of: text)
        guard end.isEmpty || start.lexicographicallyPrecedes(end) else {
            throw VocabularyError("out of order keys: \(Self.hex(start)) is not strictly smaller than \(Self.hex(end))")
        }
    }

    /// Lower-case canonical form.
    package var description: String { "\(Self.hex(start))-\(Self.hex(end))" }

    private static func bytes(_ digits: Substring, of text: String) throws(VocabularyError) -> [UInt8] {
        guard digits.count.isMultiple(of: 2), digits.utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit })
        else {
            throw VocabularyError(
                "invalid shard id \(PrintableText.excerpt(text)): \(PrintableText.excerpt(digits)) is not an even number of hexadecimal digits"
            )
        }
        var bytes: [UInt8] = []
        var rest = digits
        while !rest.isEmpty {
            bytes.append(UInt8(rest.prefix(2), radix: 16) ?? 0)
            rest = rest.dropFirst(2)
        }
        return bytes
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
