import Concurrency
import GRPCCore
import GRPCDialing
import GRPCNIOTransportHTTP2Posix
import NIOPosix
import Synchronization
import Topology

typealias EtcdClient = GRPCClient<HTTP2ClientTransport.Posix>

/// Connections to etcd servers, made when they are first needed, that live as long as a scope.
final class EtcdClients: Sendable {
    private struct State {
        var clusters: [String: EtcdCluster] = [:]
        /// The address of each cell when it was last asked for.
        var addresses: [TopologyCell: String] = [:]
    }

    private let settings: EtcdCluster.Settings
    private let begun: AsyncStream<EtcdConnection>.Continuation
    private let state = Mutex(State())

    private init(_ settings: EtcdCluster.Settings, begun: AsyncStream<EtcdConnection>.Continuation) {
        (self.settings, self.begun) = (settings, begun)
    }

    /// Where connections and leases are kept alive: the transport's own threads, which no upload ever takes.
    static let thread = EventLoopExecutor(MultiThreadedEventLoopGroup.singleton.next())

    /// Runs `body`, and the connections that it makes.
    static func with<Result: Sendable>(
        _ settings: EtcdCluster.Settings,
        _ body: @escaping @Sendable (EtcdClients) async throws -> Result
    ) async throws -> Result {
        let (stream, begun) = AsyncStream<EtcdConnection>.makeStream()
        // A body that is cancelled still has to give locks back. Each connection reads and writes for itself until it is
        // retired; one to a server that never answered would not end by itself.
        return try await withLastingHelper(on: thread) {
            await withDiscardingTaskGroup { group in
                for await connection in stream {
                    // One for each connection: they come and go independently of each other.
                    group.addTask { await connection.run() }
                }
            }
        } body: {
            defer { begun.finish() }
            return try await body(EtcdClients(settings, begun: begun))
        }
    }

    /// The cluster of a cell at an address, as a flag or the cell's record gives it.
    ///
    /// Connections to where a cell was before are given up, unless another cell is there.
    /// - Throws: ``TopologyError`` for what is no address, or files of certificates that cannot be used.
    func cluster(of cell: TopologyCell, at address: String) throws -> EtcdCluster {
        try state.withLock { state in
            let old = state.addresses.updateValue(address, forKey: cell)
            if let old, !state.addresses.values.contains(old) {
                state.clusters.removeValue(forKey: old)?.retire()
            }
            if let cluster = state.clusters[address] { return cluster }
            let cluster = try EtcdCluster(address, settings, begun: begun)
            state.clusters[address] = cluster
            return cluster
        }
    }
}
