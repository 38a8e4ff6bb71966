/// A command line that cannot be used.
///
/// The message is Vitess's.
package struct UsageError: Error, Hashable, Sendable, CustomStringConvertible {
    package var message: String
    /// Lines for stderr in front of the error, without newline.
    package var notices: [String] = []

    /// Creates an error with its final text.
    package init(_ message: String) {
        self.message = message
    }

    package var description: String { message }
}
