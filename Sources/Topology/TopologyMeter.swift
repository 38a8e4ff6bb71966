import Synchronization

/// What a cluster's topology costs: requests that were answered or failed, and the time that they took.
package final class TopologyMeter: Sendable {
    /// The sums so far.
    package struct Reading: Hashable, Sendable {
        package var requests = 0
        package var time = Duration.zero
    }

    private let state = Mutex(Reading())

    /// Begins at zero.
    package init() {}

    /// The sums so far.
    package var reading: Reading { state.withLock { $0 } }

    /// Counts `body` as one request.
    package func measure<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        let begun = ContinuousClock.now
        defer {
            let time = ContinuousClock.now - begun
            state.withLock { ($0.requests, $0.time) = ($0.requests + 1, $0.time + time) }
        }
        return try await body()
    }
}
