import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Streams
import Synchronization
import Topology

typealias EtcdClient = GRPCClient<HTTP2ClientTransport.Posix>

/// Connections to etcd servers, made when they are first needed, that live as long as a scope.
final class EtcdClients: Sendable {
    private struct State {
        var clusters: [String: EtcdCluster] = [:]
    }

    private let tls: EtcdTopology.TLS?
    private let begun: AsyncStream<EtcdClient>.Continuation
    private let state = Mutex(State())

    private init(tls: EtcdTopology.TLS?, begun: AsyncStream<EtcdClient>.Continuation) {
        (self.tls, self.begun) = (tls, begun)
    }

    /// Runs `body`, and the connections that it makes.
    static func with<Result: Sendable>(
        tls: EtcdTopology.TLS?,
        _ body: (EtcdClients) async throws -> Result
    ) async throws -> Result {
        let (stream, begun) = AsyncStream<EtcdClient>.makeStream()
        let clients = EtcdClients(tls: tls, begun: begun)
        // Beside the body: each connection reads and writes for itself, until it is shut down.
        async let running: Void = withDiscardingTaskGroup { group in
            for await client in stream {
                // What ends a connection is told to whoever uses it.
                group.addTask { try? await client.runConnections() }
            }
        }
        defer { clients.shutDown() }
        let result = try await body(clients)
        clients.shutDown()
        await running
        return result
    }

    private func shutDown() {
        begun.finish()
        for cluster in state.withLock({ $0.clusters.values.map { $0 } }) { cluster.shutDown() }
    }

    /// The cluster at an address, as a flag or a record gives it.
    /// - Throws: ``TopologyError`` for what is no address, or files of certificates that cannot be used.
    func cluster(at address: String) throws -> EtcdCluster {
        try state.withLock { state in
            if let cluster = state.clusters[address] { return cluster }
            let cluster = try EtcdCluster(address, tls: tls, begun: begun)
            state.clusters[address] = cluster
            return cluster
        }
    }
}

/// The servers of one cluster: requests go to the one that answered last.
final class EtcdCluster: Sendable {
    let address: String
    private let servers: [EtcdServerConnection]
    private let preferred = Mutex(0)

    /// One server's time to answer before the next is asked.
    private static let attemptLimit = Duration.seconds(5)

    init(_ text: String, tls: EtcdTopology.TLS?, begun: AsyncStream<EtcdClient>.Continuation) throws {
        address = text
        let parsed = try EtcdAddress(text)
        let tls = parsed.isEncrypted ?? (tls != nil) ? tls ?? EtcdTopology.TLS() : nil
        servers = try parsed.endpoints.map { try EtcdServerConnection($0, tls: tls, begun: begun) }
    }

    func shutDown() {
        for server in servers { server.shutDown() }
    }

    /// Asks one server after the other until one answers.
    ///
    /// For requests that change nothing: one that was not answered may have been done.
    /// - Throws: the last server's `RPCError`.
    func ask<Result: Sendable>(
        _ body: (EtcdClient, CallOptions) async throws -> Result
    ) async throws -> Result {
        let first = preferred.withLock { $0 }
        var failure: (any Error)?
        for index in servers.indices.map({ (first + $0) % servers.count }) {
            do {
                let result = try await servers[index].withClient { try await body($0, options) }
                preferred.withLock { $0 = index }
                return result
            } catch let error as RPCError where Self.isOfTheServer(error) {
                try Task.checkCancellation()
                failure = error
            }
        }
        throw failure ?? RPCError(code: .unavailable, message: "no server is configured")
    }

    /// Sends a request that changes something to the server that answered last, and to no other: it may have been done.
    func change<Result: Sendable>(_ body: (EtcdClient, CallOptions) async throws -> Result) async throws -> Result {
        try await servers[preferred.withLock { $0 }].withClient { try await body($0, options) }
    }

    private var options: CallOptions {
        var options = CallOptions.defaults
        options.timeout = Self.attemptLimit
        // A listing of a large cell is longer than gRPC's usual limit.
        options.maxResponseMessageBytes = Int(Int32.max)
        return options
    }

    private static func isOfTheServer(_ error: RPCError) -> Bool {
        error.code == .unavailable || error.code == .deadlineExceeded
    }
}

/// The connection to one server, made anew after some requests.
///
/// Servers written in Go send a PING with nearly every answer, to measure the line; our HTTP/2 library takes more than 200
/// of them within 30 seconds for an attack and closes the connection under its requests, and the limit cannot be set.
private final class EtcdServerConnection: Sendable {
    private static let requestsPerConnection = 100

    private let endpoint: EtcdAddress.Endpoint
    private let tls: EtcdTopology.TLS?
    private let begun: AsyncStream<EtcdClient>.Continuation
    private let state: Mutex<Connection>

    /// One connection and how it is used; shared by the requests that run on it.
    private final class Connection: Sendable {
        let client: EtcdClient
        let use = Mutex((requests: 0, running: 0, isRetired: false))

        init(_ client: EtcdClient) { self.client = client }

        /// - Returns: whether it takes one more.
        func begin() -> Bool {
            use.withLock { use in
                guard use.requests < requestsPerConnection else {
                    use.isRetired = true
                    return false
                }
                (use.requests, use.running) = (use.requests + 1, use.running + 1)
                return true
            }
        }

        func end() {
            let isDone = use.withLock { use in
                use.running -= 1
                return use.isRetired && use.running == 0
            }
            if isDone { client.beginGracefulShutdown() }
        }
    }

    init(
        _ endpoint: EtcdAddress.Endpoint,
        tls: EtcdTopology.TLS?,
        begun: AsyncStream<EtcdClient>.Continuation
    ) throws {
        (self.endpoint, self.tls, self.begun) = (endpoint, tls, begun)
        state = Mutex(Connection(try Self.connection(to: endpoint, tls)))
        begun.yield(state.withLock { $0.client })
    }

    /// Runs a request.
    func withClient<Result>(_ body: (EtcdClient) async throws -> Result) async throws -> Result {
        let connection = try state.withLock { state in
            if state.begin() { return state }
            let old = state
            state = Connection(try Self.connection(to: endpoint, tls))
            begun.yield(state.client)
            _ = state.begin()
            // Its last request may have ended before.
            if old.use.withLock({ $0.running == 0 }) { old.client.beginGracefulShutdown() }
            return state
        }
        defer { connection.end() }
        return try await body(connection.client)
    }

    func shutDown() { state.withLock { $0.client.beginGracefulShutdown() } }

    private static func connection(to endpoint: EtcdAddress.Endpoint, _ tls: EtcdTopology.TLS?) throws -> EtcdClient {
        do {
            return EtcdClient(
                transport: try HTTP2ClientTransport.Posix(
                    target: endpoint.target,
                    transportSecurity: tls?.security ?? .plaintext,
                    config: .defaults { config in
                        config.backoff.initial = .milliseconds(100)
                        config.backoff.max = .seconds(2)
                        if case .tcp(let host, _) = endpoint { config.http2.authority = host }
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
        case .tcp(let host, let port): .dns(host: host, port: port)
        case .unixSocket(let path): .unixDomainSocket(path: path)
        }
    }
}
