import Vocabulary

/// What a program says on stderr when it fails.
package enum ErrorText {
    /// `Error: ` and the error, whose text may hold names from anywhere, with its line's end.
    package static func line(_ error: any Error) -> String { "Error: \(PrintableText.block("\(error)"))\n" }

    /// A JSON document with such names, as it goes to a terminal.
    package static func json(_ document: String) -> String { PrintableText.json(document) }
}
