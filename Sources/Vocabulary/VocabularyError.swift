/// Text that is no name, time or version.
///
/// The message names the text and what is wrong with it.
package struct VocabularyError: Error, Hashable, Sendable, CustomStringConvertible {
    package var message: String

    /// Creates an error with its final text.
    package init(_ message: String) {
        self.message = message
    }

    package var description: String { message }
}
