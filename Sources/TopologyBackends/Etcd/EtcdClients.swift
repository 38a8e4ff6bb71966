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

/// The servers of one cluster: requests go to the one that answered last.
final class EtcdCluster: Sendable {
    /// What holds for every cluster.
    struct Settings: Sendable {
        var tls: ClientTLS?
        /// Of each cluster, at once.
        var reads = 32
        var meter: TopologyMeter?
    }

    let address: String
    /// Taken for each reading of records.
    let reads: Slots
    private let meter: TopologyMeter?
    private let servers: [EtcdServerLink]
    var serverCount: Int { servers.count }
    private let preferred = Mutex(0)

    /// One server's time to answer before the next is asked.
    static let attemptLimit = Duration.seconds(5)
    /// A server that is started again, or a cluster that elects a leader, answers within this time.
    private static let patience = Duration.seconds(15)
    private static let roundPause = Duration.milliseconds(500)

    init(_ text: String, _ settings: Settings, begun: AsyncStream<EtcdConnection>.Continuation) throws {
        (address, meter, reads) = (text, settings.meter, Slots(count: max(1, settings.reads)))
        let parsed = try EtcdAddress(text)
        let tls = parsed.isEncrypted ?? (settings.tls != nil) ? settings.tls ?? ClientTLS() : nil
        servers = try parsed.endpoints.map { try EtcdServerLink($0, tls: tls, begun: begun) }
    }

    /// Asks one server after the other until one answers, and again for some seconds.
    ///
    /// For requests that may be done twice: one that was not answered may have been done.
    /// - Parameters:
    ///   - patiently: whether all are asked again for some seconds.
    ///   - limit: one server's time to answer.
    ///   - body: sends the request.
    /// - Returns: the answer.
    /// - Throws: the last server's `RPCError`.
    func ask<Result: Sendable>(
        patiently: Bool = true,
        each limit: Duration = attemptLimit,
        _ body: (EtcdClient, CallOptions) async throws -> Result
    ) async throws -> Result {
        let clock = ContinuousClock()
        let begun = clock.now
        while true {
            do {
                return try await askOnce(each: limit, body)
            } catch let error as RPCError where Self.isOfTheServer(error) {
                guard patiently, clock.now - begun < Self.patience else { throw error }
                try await clock.sleep(for: Self.roundPause)
            }
        }
    }

    private func askOnce<Result: Sendable>(
        each limit: Duration,
        _ body: (EtcdClient, CallOptions) async throws -> Result
    ) async throws -> Result {
        let first = preferred.withLock { $0 }
        let options = options(limit)
        var failure: (any Error)?
        for index in servers.indices.map({ (first + $0) % servers.count }) {
            do {
                let result = try await measured { try await servers[index].withClient { try await body($0, options) } }
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
        let options = options(Self.attemptLimit)
        return try await measured {
            try await servers[preferred.withLock { $0 }].withClient { try await body($0, options) }
        }
    }

    /// Runs a stream on the server that answered last, for as long as the caller lets it.
    func follow<Result: Sendable>(_ body: (EtcdClient, CallOptions) async throws -> Result) async throws -> Result {
        let options = options(nil)
        return try await servers[preferred.withLock { $0 }].withClient { try await body($0, options) }
    }

    private func measured<Result>(_ body: () async throws -> Result) async throws -> Result {
        guard let meter else { return try await body() }
        return try await meter.measure(body)
    }

    /// Ends its connections when their last request has ended.
    fileprivate func retire() {
        for server in servers { server.retire() }
    }

    private func options(_ limit: Duration?) -> CallOptions {
        var options = CallOptions.defaults
        options.timeout = limit
        // A listing of a large cell is longer than gRPC's usual limit.
        options.maxResponseMessageBytes = Int(Int32.max)
        // The transport takes the limit of requests for answers as well.
        options.maxRequestMessageBytes = Int(Int32.max)
        return options
    }

    fileprivate static func isOfTheServer(_ error: RPCError) -> Bool {
        error.code == .unavailable || error.code == .deadlineExceeded
    }
}

/// One connection, and how it is used; shared by the requests that run on it.
final class EtcdConnection: Sendable {
    /// Servers written in Go send a PING with nearly every answer, to measure the line; our HTTP/2 library takes more than
    /// 200 of them within 30 seconds for an attack and closes the connection under its requests, and the limit cannot be set.
    private static let mostRequests = 100

    private struct Use {
        var requests = 0
        var running = 0
        var isRetired = false
    }

    fileprivate let client: EtcdClient
    private let use = Mutex(Use())
    private let (ended, end) = AsyncStream<Never>.makeStream()

    fileprivate init(_ client: EtcdClient) { self.client = client }

    /// Serves the connection until it is retired and its last request has ended.
    fileprivate func run() async {
        await withTaskGroup(of: Void.self) { group in
            // Whichever comes first: the connection fails for good (whoever asks on it is told) …
            group.addTask { try? await self.client.runConnections() }
            // … or nobody needs it any more; one that never came up would not end by itself.
            group.addTask { for await _ in self.ended {} }
            await group.next()
            group.cancelAll()
        }
    }

    /// - Returns: whether it takes one more request.
    fileprivate func begin() -> Bool {
        use.withLock { use in
            guard !use.isRetired, use.requests < Self.mostRequests else { return false }
            (use.requests, use.running) = (use.requests + 1, use.running + 1)
            return true
        }
    }

    fileprivate func finish() {
        let isDone = use.withLock { use in
            use.running -= 1
            return use.isRetired && use.running == 0
        }
        if isDone { end.finish() }
    }

    /// Takes no more requests.
    fileprivate func retire() {
        let isDone = use.withLock { use in
            use.isRetired = true
            return use.running == 0
        }
        if isDone { end.finish() }
    }
}

/// The way to one server: a connection that is made anew after some requests, and after one that got no answer, which may
/// lead to where the server no longer is.
private final class EtcdServerLink: Sendable {
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
