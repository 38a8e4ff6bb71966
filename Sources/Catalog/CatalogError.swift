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

    /// Shortens untrusted text for a message and shows control characters as escapes.
    package static func excerpt(_ text: some StringProtocol) -> String {
        let limit = 120
        let shown = text.unicodeScalars.prefix(limit).map { scalar in
            scalar.value < 0x20 || scalar.value == 0x7f ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
        }
        return shown.joined() + (text.unicodeScalars.count > limit ? "…" : "")
    }
}
