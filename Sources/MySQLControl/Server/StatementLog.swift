/// Statements as they may be shown: cut to 200 bytes, passwords masked.
enum StatementLog {
    /// Masks what may be a password, however it is spelt: every literal behind a word that ends with `PASSWORD`, or behind
    /// `IDENTIFIED`, up to the next comma or semicolon.
    static func masked(_ statement: String) -> String {
        // By scalars: a quote with a combining mark behind it is another character, but the same to the server.
        let text = String(maskedLiterals(statement.unicodeScalars))
        let limit = 200
        return text.utf8.count > limit ? String(decoding: text.utf8.prefix(limit), as: UTF8.self) : text
    }

    /// A message of replication without the statement that failed: `CREATE USER` has a password or its hash in it.
    static func withoutQuery(_ message: String) -> String {
        guard let found = message.firstRange(of: "Query: '") else { return message }
        return message[..<found.lowerBound] + "Query: not shown"
    }

    private static func maskedLiterals(_ text: String.UnicodeScalarView) -> String.UnicodeScalarView {
        var output = String.UnicodeScalarView()
        var rest = text[...]
        var isSecret = false
        while let scalar = rest.first {
            if isWordPart(scalar) {
                let word = rest.prefix(while: isWordPart)
                rest = rest[word.endIndex...]
                let upper = String(String.UnicodeScalarView(word)).uppercased()
                // A hash may be written as a number.
                output += isSecret && upper.hasPrefix("0X") ? "****".unicodeScalars : String.UnicodeScalarView(word)
                if upper.hasSuffix("PASSWORD") || upper == "IDENTIFIED" { isSecret = true }
            } else if scalar == "'" || scalar == "\"" || scalar == "`" {
                let end = afterLiteral(rest.dropFirst(), quote: scalar)
                let literal = rest[..<end.startIndex]
                let isClosed = literal.count > 1 && end.startIndex > literal.startIndex && end.isClosed
                output.append(scalar)
                if isSecret, scalar != "`" {
                    output += "****".unicodeScalars
                } else {
                    output += literal.dropFirst().dropLast(isClosed ? 1 : 0)
                }
                if isClosed { output.append(scalar) }
                rest = end.rest
            } else {
                if scalar == "," || scalar == ";" { isSecret = false }
                output.append(scalar)
                rest = rest.dropFirst()
            }
        }
        return output
    }

    private static func isWordPart(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar == "$" || scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
    }

    private typealias End = (rest: Substring.UnicodeScalarView, startIndex: String.Index, isClosed: Bool)

    /// What follows a literal whose opening quote is already taken.
    private static func afterLiteral(_ text: Substring.UnicodeScalarView, quote: Unicode.Scalar) -> End {
        var index = text.startIndex
        while index < text.endIndex {
            let next = text.index(after: index)
            switch text[index] {
            case "\\" where quote != "`": index = next < text.endIndex ? text.index(after: next) : next
            case quote where next < text.endIndex && text[next] == quote: index = text.index(after: next)
            case quote: return (text[next...], next, true)
            default: index = next
            }
        }
        return (text[text.endIndex...], text.endIndex, false)
    }
}
