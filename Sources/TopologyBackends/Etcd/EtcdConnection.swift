import Concurrency
import GRPCCore
import GRPCDialing
import GRPCNIOTransportHTTP2Posix
import NIOPosix
import Synchronization
import Topology

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

    let client: EtcdClient
    private let use = Mutex(Use())
    private let (ended, end) = AsyncStream<Never>.makeStream()

    init(_ client: EtcdClient) { self.client = client }

    /// Serves the connection until it is retired and its last request has ended.
    func run() async {
        let connections: @Sendable () async throws -> Void = {
            try await self.client.runConnections()
            // Failed for good: whoever asks on it is told.
            throw CancellationError()
        }
        // Until nobody needs it any more; one that never came up would not end by itself.
        try? await withHelpers([connections]) { for await _ in self.ended {} }
    }

    /// - Returns: whether it takes one more request.
    func begin() -> Bool {
        use.withLock { use in
            guard !use.isRetired, use.requests < Self.mostRequests else { return false }
            (use.requests, use.running) = (use.requests + 1, use.running + 1)
            return true
        }
    }

    func finish() {
        let isDone = use.withLock { use in
            use.running -= 1
            return use.isRetired && use.running == 0
        }
        if isDone { end.finish() }
    }

    /// Takes no more requests.
    func retire() {
        let isDone = use.withLock { use in
            use.isRetired = true
            return use.running == 0
        }
        if isDone { end.finish() }
    }
}
