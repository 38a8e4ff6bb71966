import Vocabulary

/// A step of a pass failed.
///
/// The message begins with the step's name in Vitess's words.
package struct WorkflowError: CausedError, Sendable, CustomStringConvertible {
    /// What kind of failure this is; the last log line carries it.
    package enum Code: String, Hashable, Sendable {
        /// The policy or the state of the shard forbids it.
        case refused
        /// Reading, writing or removing backups failed.
        case storage
        /// The topology or the primary did not give what is needed.
        case topology
        /// mysqld or replication failed.
        case mysqld
        /// Catching up with the primary cannot succeed.
        case catchUp = "catch-up"
        /// Another pass works on the shard, or may.
        case lease
        /// A file system is full, or will be.
        case space
        /// The new backup is no good, or could not be looked at.
        case verification
        /// Copying files failed.
        case copy
    }

    package var code: Code
    package var message: String
    package var cause: (any Error)?
    /// Whether a pass from another base may get further.
    package var isOfTheBase = false

    /// Creates an error.
    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        (self.code, self.message, self.cause) = (code, message, cause)
    }

    package var description: String { cause.map { "\(message): \($0)" } ?? message }
}

/// Names the step that failed in front of its error; cancellation passes as it is.
func step<Result>(
    _ code: WorkflowError.Code,
    _ message: String,
    _ body: () async throws -> Result
) async throws -> Result {
    do {
        return try await body()
    } catch let error as CancellationError {
        throw error
    } catch {
        try Task.checkCancellation()
        throw WorkflowError(code, message, cause: error)
    }
}
