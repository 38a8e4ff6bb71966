/// A keyspace and one of its shards; also the folder of the shard's backups, `<keyspace>/<shard>`.
package struct ShardPath: Hashable, Sendable, CustomStringConvertible {
    package let keyspace: String
    package let shard: String

    /// Checks both names: 1 to 64 bytes of letters, digits, `-` and `_`.
    /// - Throws: ``VocabularyError`` with Vitess's wording.
    package init(keyspace: String, shard: String) throws(VocabularyError) {
        try Self.validate(keyspace)
        try Self.validate(shard)
        self.keyspace = keyspace
        self.shard = shard
    }

    /// Parses `keyspace/shard`, or `keyspace:shard` when there is no slash.
    /// - Throws: ``VocabularyError``.
    package init(_ text: String) throws(VocabularyError) {
        let separator: Character = text.contains("/") ? "/" : ":"
        let parts = text.split(separator: separator, omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw VocabularyError("invalid shard path: \(PrintableText.excerpt(text))") }
        try self.init(keyspace: String(parts[0]), shard: String(parts[1]))
    }

    /// The key range that the shard's name stands for; `nil` for a name without a dash (an unsharded keyspace).
    /// - Throws: ``VocabularyError`` when a name with a dash is no range.
    package func keyRange() throws(VocabularyError) -> KeyRange? {
        shard.contains("-") ? try KeyRange(shard) : nil
    }

    package var description: String { "\(keyspace)/\(shard)" }

    private static func validate(_ name: String) throws(VocabularyError) {
        guard !name.isEmpty else { throw VocabularyError("empty name") }
        guard name.utf8.count <= 64 else { throw VocabularyError("name \(PrintableText.excerpt(name)) is too long") }
        for character in name {
            let allowed =
                character.isASCII && (character.isLetter || character.isNumber || character == "-" || character == "_")
            guard allowed else {
                throw VocabularyError(
                    "invalid character \(PrintableText.excerpt(String(character))) in name \(PrintableText.excerpt(name))"
                )
            }
        }
    }
}
