/// Statements as they may be shown: cut to 200 bytes, passwords masked.
enum StatementLog {
    private static let marks = ["SOURCE_PASSWORD = '", "MASTER_PASSWORD = '", " IDENTIFIED BY '", " PASSWORD = '"]

    static func masked(_ statement: String) -> String {
        var text = statement
        for mark in marks {
            guard let start = text.firstRange(of: mark)?.upperBound else { continue }
            text = text[..<start] + "****" + afterLiteral(text[start...])
        }
        let limit = 200
        return text.utf8.count > limit ? String(decoding: text.utf8.prefix(limit), as: UTF8.self) : text
    }

    /// What follows a literal whose opening quote is already taken, from its closing quote on.
    private static func afterLiteral(_ text: Substring) -> Substring {
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
        return ""
    }
}
