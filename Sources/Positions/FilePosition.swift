/// A position of a server without GTIDs: binary log file and offset.
package struct FilePosition: Hashable, Sendable, CustomStringConvertible {
    package var file: String
    package var offset: UInt64

    /// Parses `file:offset`, with exactly one colon and a decimal offset.
    /// - Throws: ``PositionError``.
    package init(_ text: String) throws(PositionError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw PositionError("invalid FilePos GTID (\(PositionError.excerpt(text))): expecting file:pos")
        }
        guard let offset = UInt64(strict: parts[1]) else {
            throw PositionError("invalid FilePos GTID (\(PositionError.excerpt(text))): expecting pos to be an integer")
        }
        file = String(parts[0])
        self.offset = offset
    }

    /// True for the position before any file.
    package var isEmpty: Bool { file.isEmpty }

    /// Whether this position is `other` or later.
    ///
    /// Log files are compared by base name and then by number, so `bin.1000000` follows `bin.999999`.
    package func contains(_ other: FilePosition) -> Bool {
        if file == other.file { return other.offset <= offset }
        let (mine, theirs) = (numbered(file), numbered(other.file))
        if let mine, let theirs, mine.base == theirs.base { return theirs.number < mine.number }
        return other.file < file
    }

    package var description: String { "\(file):\(offset)" }
}

private func numbered(_ file: String) -> (base: Substring, number: UInt64)? {
    guard let dot = file.lastIndex(of: "."), let number = UInt64(strict: file[file.index(after: dot)...]) else {
        return nil
    }
    return (file[..<dot], number)
}
