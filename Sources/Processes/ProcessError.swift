/// A command of the operator's that did not do its work.
package struct ProcessError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure this is.
    package enum Code: Hashable, Sendable {
        /// The text is no command.
        case malformed
        /// It could not be started.
        case notRunnable
        /// It ended with an error, or too soon, or stood still.
        case failed
    }

    package var code: Code
    package var message: String

    /// Creates an error.
    package init(_ code: Code, _ message: String) {
        (self.code, self.message) = (code, message)
    }

    package var description: String { message }
}
