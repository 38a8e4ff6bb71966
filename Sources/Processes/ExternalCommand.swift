import Vocabulary

/// A command line of the operator's that compresses or decompresses from stdin to stdout.
package struct ExternalCommand: Hashable, Sendable, CustomStringConvertible {
    private let text: String
    /// Its words; the first is the program.
    package let words: [String]

    /// Splits a command like a shell, but expands and runs nothing: quotes, backslashes, and comments behind `#`.
    /// - Throws: ``ProcessError`` with code `malformed` when there is no word, or a quote is not closed.
    package init(_ text: String) throws(ProcessError) {
        self.text = text
        words = try Self.split(text)
        guard !words.isEmpty else {
            throw ProcessError(.malformed, "the external command \"\(Self.line(text))\" names no program")
        }
    }

    private static func line(_ text: String) -> String { PrintableText.line(text) }

    /// The command as it was given, in one line; a MANIFEST may have given it.
    package var description: String { PrintableText.line(text) }

    private static func split(_ text: String) throws(ProcessError) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var rest = Substring(text)
        while let character = rest.popFirst() {
            switch (character, quote) {
            case ("'", "'"), ("\"", "\""): quote = nil
            case (_, "'"): word = (word ?? "") + String(character)
            case ("\\", "\""):
                // Inside double quotes a backslash takes only the meaning of these away.
                let next = rest.first
                if let next, "\"\\$`\n".contains(next) {
                    rest.removeFirst()
                    if next != "\n" { word = (word ?? "") + String(next) }
                } else {
                    word = (word ?? "") + "\\"
                }
            case (_, "\""): word = (word ?? "") + String(character)
            case ("'", _), ("\"", _): (word, quote) = (word ?? "", character)
            case ("\\", _):
                guard let next = rest.popFirst() else {
                    throw ProcessError(.malformed, "the external command \"\(line(text))\" ends with a backslash")
                }
                if next != "\n" { word = (word ?? "") + String(next) }
            case ("#", _) where word == nil: rest = rest.drop { $0 != "\n" }
            case let (character, _) where character.isWhitespace:
                if let word { words.append(word) }
                word = nil
            default: word = (word ?? "") + String(character)
            }
        }
        guard quote == nil else {
            throw ProcessError(.malformed, "a quote in the external command \"\(line(text))\" is not closed")
        }
        if let word { words.append(word) }
        return words
    }
}
