/// Text that others have written, as it may be shown: on a terminal, in a log, in an error.
///
/// Names, commands and notes that come from storage may hold anything: sequences that move a cursor or rename a window, line
/// ends that make one line of a log two, marks that turn the direction of what follows or that nobody sees. This is the one
/// place that knows which they are.
package enum PrintableText {
    /// In one line: every character that is not shown as itself becomes an escape, as `\u{1b}`.
    package static func line(_ text: some StringProtocol) -> String {
        if text.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) { return String(text) }
        return escaped(text) { _ in false }
    }

    /// In one line, and no more than 120 characters of it: for what a message quotes.
    package static func excerpt(_ text: some StringProtocol) -> String {
        let limit = 120
        let shown = String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit)))
        return line(shown) + (text.unicodeScalars.count > limit ? "…" : "")
    }

    /// The same as ``line(_:)`` for texts of several lines, which may have tabs: what follows a line's end is indented, so that it cannot
    /// be taken for a line of its own.
    package static func block(_ text: some StringProtocol) -> String {
        if text.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) { return String(text) }
        // By scalars: a carriage return before it makes a line's end another character.
        var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            escaped(String(String.UnicodeScalarView(line))) { $0 == "\t" }
        }
        let endsWithLine = lines.last == ""
        if endsWithLine { lines.removeLast() }
        return lines.joined(separator: "\n    ") + (endsWithLine ? "\n" : "")
    }

    /// A JSON document whose strings have JSON's escapes for such characters.
    ///
    /// Its encoder has done so for those below U+0020; outside of strings no others can be.
    package static func json(_ document: String) -> String {
        if document.utf8.allSatisfy({ $0 < 0x7f }) { return document }
        var shown = ""
        for scalar in document.unicodeScalars {
            if scalar.value < 0x7f || isShown(scalar) {
                shown.unicodeScalars.append(scalar)
            } else {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    shown += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            }
        }
        return shown
    }

    /// Whether a character is shown as itself, and does nothing else.
    package static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: false
        default: true
        }
    }

    private static func escaped(_ text: some StringProtocol, but isAllowed: (Unicode.Scalar) -> Bool) -> String {
        var shown = ""
        for scalar in text.unicodeScalars {
            if isShown(scalar) || isAllowed(scalar) {
                shown.unicodeScalars.append(scalar)
            } else {
                shown += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        return shown
    }
}
