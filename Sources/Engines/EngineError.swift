import Vocabulary

/// Copying a server's files to or from a backup failed.
package struct EngineError: CausedError, Sendable, CustomStringConvertible {
    /// What kind of failure this is.
    package enum Code: Hashable, Sendable {
        /// The server's folders hold something that this engine cannot back up.
        case unsupportedFile
        /// A file changed while it was copied.
        case fileChanged
        /// A page of a tablespace is not what InnoDB wrote.
        case damagedPage
        /// A file system has not enough room.
        case noSpace
        /// An object is not what the manifest says.
        case damagedBackup
        /// The backup is of a kind that cannot be restored here.
        case unsupportedBackup
        /// A file could not be copied, also not at the second attempt.
        case copyFailed
    }

    package var code: Code
    package var message: String
    package var cause: (any Error)?

    /// Creates an error.
    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        (self.code, self.message, self.cause) = (code, message, cause)
    }

    package var description: String { cause.map { "\(message): \($0)" } ?? message }
}
