import Vocabulary

/// Controlling a mysqld failed.
package struct MysqldError: CausedError, Sendable, CustomStringConvertible {
    /// What kind of failure this is.
    package enum Code: Hashable, Sendable {
        /// mysqld, a client program or setpriv is missing or cannot be used.
        case installation
        /// my.cnf cannot be made.
        case configuration
        /// mysqld did not initialise or did not start.
        case start
        /// mysqld ended by itself.
        case died
        /// mysqld did not stop in time.
        case stop
        /// A hook failed.
        case hook
        /// A statement of ours failed.
        case statement
        /// Replication cannot go on.
        case replication
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
