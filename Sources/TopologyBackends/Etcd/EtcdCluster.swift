import Concurrency
import GRPCCore
import GRPCDialing
import GRPCNIOTransportHTTP2Posix
import NIOPosix
import Synchronization
import Topology

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
    func retire() {
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

    static func isOfTheServer(_ error: RPCError) -> Bool {
        error.code == .unavailable || error.code == .deadlineExceeded
    }
}
