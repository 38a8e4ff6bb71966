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

    package var description: String { message }
}
