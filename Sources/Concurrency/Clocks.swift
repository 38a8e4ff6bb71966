package import FoundationEssentials

/// The time: the wall clock for names and ages, a steady one for limits, and how to wait.
///
/// Passed in, so that campaigns can run hours in moments and turn clocks back.
package struct Clocks: Sendable {
    /// The wall clock.
    package var now: @Sendable () -> Date
    /// Time since some fixed moment; never goes back.
    package var elapsed: @Sendable () -> Duration
    /// Waits; throws when cancelled.
    package var sleep: @Sendable (Duration) async throws -> Void
    /// By how much a wait between attempts is longer or shorter than the rule says; 1: not at all.
    package var jitter: @Sendable () -> Double = { 1 }

    /// Creates a clock from its parts.
    package init(
        now: @escaping @Sendable () -> Date,
        elapsed: @escaping @Sendable () -> Duration,
        sleep: @escaping @Sendable (Duration) async throws -> Void
    ) {
        (self.now, self.elapsed, self.sleep) = (now, elapsed, sleep)
    }

    /// The machine's clocks.
    package static let system: Clocks = {
        let clock = ContinuousClock()
        let start = clock.now
        var system = Clocks(
            now: { Date() },
            elapsed: { clock.now - start },
            sleep: { try await Task.sleep(for: $0) }
        )
        system.jitter = { .random(in: 0.75...1.25) }
        return system
    }()
}
