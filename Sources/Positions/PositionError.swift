/// A text that is not a position of any known flavor.
///
/// `message` repeats the wording of Vitess, because operators and tests search for it.
package struct PositionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was wrong, with the offending text cut to a printable length.
    package var message: String

    /// Creates an error with its final text.
    package init(_ message: String) {
        self.message = message
    }

    package var description: String { message }

    /// Quotes `text` for a message; a set of a million intervals must not become a message of that size.
    static func excerpt(_ text: some StringProtocol) -> String {
        let limit = 200
        guard text.utf8.count > limit else { return String(text) }
        return String(decoding: text.utf8.prefix(limit), as: UTF8.self) + "…"
    }
}
