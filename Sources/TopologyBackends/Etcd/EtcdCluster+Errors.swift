import GRPCCore
import Topology

extension EtcdCluster {
    /// Runs requests about `key`, whose failures it words as Vitess does, with the servers' address.
    /// - Throws: ``TopologyError`` instead of an `RPCError`; `CancellationError` when that is why it failed.
    static func translated<Result>(
        _ key: String,
        _ cluster: EtcdCluster,
        _ body: () async throws -> Result
    ) async throws -> Result {
        do {
            return try await body()
        } catch let error as RPCError {
            try Task.checkCancellation()
            throw cluster.topologyError(error, key)
        }
    }

    private func topologyError(_ error: RPCError, _ key: String) -> TopologyError {
        let server = "etcd at \(address)"
        let why = error.cause.map { "\(error.message): \($0)" } ?? error.message
        return switch error.code {
        case .notFound: TopologyError.noNode(key)
        case .unavailable, .deadlineExceeded:
            TopologyError(.timeout, "deadline exceeded: \(key): \(server) does not answer (\(why))")
        case .resourceExhausted:
            TopologyError(.resourceExhausted, "server resource exhausted: \(key): \(server): \(why)")
        case .cancelled: TopologyError(.interrupted, "interrupted: \(key): \(server)")
        default: TopologyError(.unavailable, "\(key): \(server): \(why)")
        }
    }
}
