/// A clock whose waits take no time: each moves it on, after the test has done what shall happen meanwhile.
package struct SteppingClock: Clock {
    private let instant = LockedBox(ContinuousClock.now)
    private let meanwhile: @Sendable () async throws -> Void

    /// Creates a clock.
    /// - Parameter meanwhile: runs in each wait.
    package init(meanwhile: @escaping @Sendable () async throws -> Void) { self.meanwhile = meanwhile }

    package var now: ContinuousClock.Instant { instant.get() }
    package var minimumResolution: Duration { .zero }

    /// Does what shall happen meanwhile, and moves on.
    /// - Throws: what that throws, or `CancellationError`.
    package func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        try await meanwhile()
        try Task.checkCancellation()
        instant.update { $0 = max($0, deadline) }
    }
}
