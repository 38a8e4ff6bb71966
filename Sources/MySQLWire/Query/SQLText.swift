/// Values and names as text of a statement.
package enum SQLText {
    /// A string literal in single quotes.
    ///
    /// Safe under every `sql_mode` but NO_BACKSLASH_ESCAPES, which no connection of ours sets.
    package static func literal(_ value: String) -> String {
        var text = "'"
        for scalar in value.unicodeScalars {
            switch scalar {
            case "'": text += "''"
            case "\\": text += "\\\\"
            case "\0": text += "\\0"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\u{1a}": text += "\\Z"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "'"
    }

    /// A name in backquotes.
    package static func name(_ name: String) -> String {
        // By scalars: a backquote with a combining mark behind it is another character, but the same to the server.
        var text = "`"
        for scalar in name.unicodeScalars {
            text.unicodeScalars.append(contentsOf: scalar == "`" ? ["`", "`"] : [scalar])
        }
        return text + "`"
    }
}
