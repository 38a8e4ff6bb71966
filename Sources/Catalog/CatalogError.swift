/// Bad input of the catalog's kind: a name, a manifest, a time.
///
/// The message names the object and what is wrong with it.
package struct CatalogError: Error, Hashable, Sendable, CustomStringConvertible {
    package var message: String

    /// Creates an error with its final text.
    package init(_ message: String) {
        self.message = message
    }

    package var description: String { message }

    /// Shortens untrusted text for a message and shows characters that are not shown as themselves as escapes: the rule is
    /// that of `PrintableText`, which lies above this library.
    package static func excerpt(_ text: some StringProtocol) -> String {
        let limit = 120
        let shown = text.unicodeScalars.prefix(limit).map { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate:
                "\\u{\(String(scalar.value, radix: 16))}"
            default: String(scalar)
            }
        }
        return shown.joined() + (text.unicodeScalars.count > limit ? "…" : "")
    }
}
