package import FoundationEssentials

/// The name of a backup: `<yyyy-MM-dd>.<HHmmss>.<tablet alias>`, time in UTC.
///
/// Names in byte order are oldest first.
package struct BackupName: Hashable, Sendable, CustomStringConvertible {
    /// When the backup was started, whole seconds.
    package let time: Date
    /// The tablet that took it; cell `vtbackup` and a random uid for vtbackup itself.
    package let alias: TabletAlias

    /// Creates the name of a backup started at `time`; fractions of a second are dropped.
    /// - Throws: ``VocabularyError`` when the cell has a dot: such a name could not be read again.
    package init(time: Date, alias: TabletAlias) throws(VocabularyError) {
        guard !alias.cell.contains(".") else {
            throw VocabularyError(
                "cell \"\(PrintableText.excerpt(alias.cell))\" has a dot, which backup names cannot carry; use a cell name without dots"
            )
        }
        self.time = Date(timeIntervalSince1970: time.timeIntervalSince1970.rounded(.down))
        self.alias = alias
    }

    /// Parses a backup name.
    /// - Throws: ``VocabularyError`` that says which part is not as expected.
    package init(_ text: String) throws(VocabularyError) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3 else {
            throw VocabularyError(
                "backup name not in expected format (date.time.tablet-alias): \(PrintableText.excerpt(text))"
            )
        }
        guard let time = BackupTimestamp.parse(nameForm: "\(parts[0]).\(parts[1])") else {
            throw VocabularyError(
                "can't parse timestamp from backup \"\(PrintableText.excerpt(text))\": expected yyyy-MM-dd.HHmmss"
            )
        }
        self.time = time
        alias = try TabletAlias(parts[2])
    }

    package var description: String { "\(BackupTimestamp.nameForm(time)).\(alias)" }
}
