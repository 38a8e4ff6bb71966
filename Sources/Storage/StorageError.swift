import Vocabulary

/// A storage operation failed.
package struct StorageError: CausedError, Sendable, CustomStringConvertible {
    /// What kind of failure this is; decisions are made on it, never on text.
    package struct Code: Hashable, Sendable {
        private enum Value {
            case notFound, alreadyExists, invalidName, unavailable, tooLarge, configuration, incompleteWrite, conflict
        }
        private let value: Value

        /// The backup or object does not exist.
        package static let notFound = Code(value: .notFound)
        /// A backup of that name exists already.
        package static let alreadyExists = Code(value: .alreadyExists)
        /// The name could leave the storage's root, or is none.
        package static let invalidName = Code(value: .invalidName)
        /// The store did not do it; it may later.
        package static let unavailable = Code(value: .unavailable)
        /// The object is larger than the caller takes.
        package static let tooLarge = Code(value: .tooLarge)
        /// The store cannot be used as it is configured.
        package static let configuration = Code(value: .configuration)
        /// Fewer bytes were stored than handed over.
        package static let incompleteWrite = Code(value: .incompleteWrite)
        /// A note is not what it was expected to be.
        package static let conflict = Code(value: .conflict)
    }

    package var code: Code
    package var message: String
    package var cause: (any Error)?

    /// Creates an error.
    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        (self.code, self.message, self.cause) = (code, message, cause)
    }

    package var description: String {
        cause.map { "\(message): \($0)" } ?? message
    }
}
