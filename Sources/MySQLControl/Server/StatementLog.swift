/// Statements as they may be shown: cut to 200 bytes, passwords masked.
enum StatementLog {
    private static let marks = ["SOURCE_PASSWORD = '", "MASTER_PASSWORD = '", " IDENTIFIED BY '", " PASSWORD = '"]

    static func masked(_ statement: String) -> String {
        // By scalars: a quote with a combining mark behind it is another character, but the same to the server.
        let text = marks.reduce(statement.unicodeScalars) { masked($0, after: $1.unicodeScalars) }
        let limit = 200
        let utf8 = String(text).utf8
        return utf8.count > limit ? String(decoding: utf8.prefix(limit), as: UTF8.self) : String(text)
    }

    /// A message of replication without the statement that failed: `CREATE USER` has a password or its hash in it.
    static func withoutQuery(_ message: String) -> String {
        guard let found = message.firstRange(of: "Query: '") else { return message }
        return message[..<found.lowerBound] + "Query: not shown"
    }

    /// Masks every literal behind `mark`, which ends with its opening quote.
    private static func masked(
        _ text: String.UnicodeScalarView,
        after mark: String.UnicodeScalarView
    ) -> String.UnicodeScalarView {
        var output = String.UnicodeScalarView()
        var rest = text[...]
        while let found = rest.firstRange(of: mark) {
            output += rest[..<found.upperBound]
            output += "****".unicodeScalars
            rest = afterLiteral(rest[found.upperBound...])
        }
        return output + rest
    }

    /// What follows a literal whose opening quote is already taken, from its closing quote on.
    private static func afterLiteral(_ text: Substring.UnicodeScalarView) -> Substring.UnicodeScalarView {
        var index = text.startIndex
        while index < text.endIndex {
            let next = text.index(after: index)
            switch text[index] {
            case "\\": index = next < text.endIndex ? text.index(after: next) : next
            case "'" where next < text.endIndex && text[next] == "'": index = text.index(after: next)
            case "'": return text[index...]
            default: index = next
            }
        }
        return text[text.endIndex...]
    }
}
