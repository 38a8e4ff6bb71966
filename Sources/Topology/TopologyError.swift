/// Reading or writing the topology failed.
///
/// The texts are Vitess's.
package struct TopologyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind that logic depends on.
    package enum Code: Hashable, Sendable {
        case noNode
        case nodeExists
        case badVersion
        case timeout
        case interrupted
        /// The answer is larger than the store or we allow.
        case resourceExhausted
        case partialResult
        case noImplementation
        /// A record that does not decode, or a path that is none.
        case damagedRecord
        /// The store did not answer.
        case unavailable
        /// Somebody else has the lock.
        case lockHeld
        /// A lock that we had is ours no more.
        case lockLost
    }

    package var code: Code
    package var message: String

    /// Creates an error.
    package init(_ code: Code, _ message: String) {
        (self.code, self.message) = (code, message)
    }

    /// Nothing is at `path`.
    package static func noNode(_ path: String) -> TopologyError {
        TopologyError(.noNode, "node doesn't exist: \(path)")
    }

    /// Something is at `path`.
    package static func nodeExists(_ path: String) -> TopologyError {
        TopologyError(.nodeExists, "node already exists: \(path)")
    }

    /// Somebody else has written `path`.
    package static func badVersion(_ path: String) -> TopologyError {
        TopologyError(.badVersion, "bad node version: \(path)")
    }

    /// Somebody else had the lock for as long as we waited.
    package static func lockHeld(_ path: String, by holder: [UInt8]?) -> TopologyError {
        let who = holder.map { "it is held by \(LockRecord.holder(in: $0))" } ?? "the store did not answer in time"
        return TopologyError(.lockHeld, "deadline exceeded: lock \(path): \(who)")
    }

    /// A lock that we had is ours no more.
    package static func lockLost(_ path: String, _ reason: String) -> TopologyError {
        TopologyError(.lockLost, "lock \(path) is lost: \(reason)")
    }

    package var description: String { message }
}
