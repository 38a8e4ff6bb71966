import Concurrency
import GRPCCore
import GRPCDialing
import GRPCNIOTransportHTTP2Posix
import NIOPosix
import Synchronization
import Topology

/// The way to one server: a connection that is made anew after some requests, and after one that got no answer, which may
/// lead to where the server no longer is.
final class EtcdServerLink: Sendable {
    private let endpoint: EtcdAddress.Endpoint
    private let tls: ClientTLS?
    private let begun: AsyncStream<EtcdConnection>.Continuation
    private let current: Mutex<Current>

    private struct Current {
        var connection: EtcdConnection
        /// Nobody comes here any more, but for those who were on their way.
        var isRetired = false
    }

    init(
        _ endpoint: EtcdAddress.Endpoint,
        tls: ClientTLS?,
        begun: AsyncStream<EtcdConnection>.Continuation
    ) throws {
        (self.endpoint, self.tls, self.begun) = (endpoint, tls, begun)
        let first = EtcdConnection(try Self.connection(to: endpoint, tls))
        current = Mutex(Current(connection: first))
        begun.yield(first)
    }

    /// Runs a request.
    func withClient<Result>(_ body: (EtcdClient) async throws -> Result) async throws -> Result {
        let connection = try connectionForRequest()
        defer { connection.finish() }
        do {
            return try await body(connection.client)
        } catch let error as RPCError where EtcdCluster.isOfTheServer(error) {
            connection.retire()
            throw error
        }
    }

    func retire() {
        current.withLock { current in
            current.isRetired = true
            current.connection.retire()
        }
    }

    private func connectionForRequest() throws -> EtcdConnection {
        try current.withLock { current in
            if current.connection.begin() { return current.connection }
            let next = EtcdConnection(try Self.connection(to: endpoint, tls))
            current.connection.retire()
            begun.yield(next)
            _ = next.begin()
            // Ends with this request then.
            if current.isRetired { next.retire() }
            current.connection = next
            return next
        }
    }

    private static func connection(to endpoint: EtcdAddress.Endpoint, _ tls: ClientTLS?) throws -> EtcdClient {
        do {
            return EtcdClient(
                transport: try HTTP2ClientTransport.Posix(
                    target: endpoint.target,
                    transportSecurity: tls?.security ?? .plaintext,
                    config: .defaults { config in
                        config.backoff.initial = .milliseconds(100)
                        config.backoff.max = .seconds(2)
                    }
                )
            )
        } catch {
            throw TopologyError(.unavailable, "cannot connect to etcd at \(endpoint): \(error)")
        }
    }
}

extension EtcdAddress.Endpoint {
    fileprivate var target: any ResolvableTarget {
        switch self {
        case .tcp(let host, let port):
            dialTarget(host: host, port: port)
        case .unixSocket(let path): .unixDomainSocket(path: path)
        }
    }
}
