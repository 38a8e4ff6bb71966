package import Engines
import Synchronization

/// What a pass is doing, for whoever shows it.
///
/// Written by the pass, read from other tasks.
package final class PassProgress: Sendable {
    /// A part of a pass.
    ///
    /// The raw values of the first four are names of Vitess's phase gauge.
    package enum Phase: String, Hashable, Sendable, CaseIterable {
        case restoreLastBackup = "RestoreLastBackup"
        case catchupReplication = "CatchupReplication"
        case takeNewBackup = "TakeNewBackup"
        case initialBackup = "InitialBackup"
        case verify = "Verify"
        case prune = "Prune"
    }

    /// One moment of a pass.
    package struct Reading: Sendable {
        package var phase: Phase
        package var since: ContinuousClock.Instant
        /// The copy that is going on in this phase.
        package var transfer: TransferMeter?
        /// Transactions still to apply, and how many there were at first.
        package var transactions: (remaining: Int64, total: Int64)?
    }

    private let state = Mutex<Reading?>(nil)
    private let changed: @Sendable (Phase, Bool) -> Void

    /// Creates the progress of a pass that has not begun.
    /// - Parameter changed: called when a phase begins (`true`) and ends (`false`).
    package init(changed: @escaping @Sendable (Phase, Bool) -> Void = { _, _ in }) {
        self.changed = changed
    }

    /// The present state; `nil` between phases.
    package var reading: Reading? { state.withLock { $0 } }

    func during<Result>(
        _ phase: Phase,
        transfer: TransferMeter? = nil,
        _ body: () async throws -> Result
    ) async rethrows -> Result {
        state.withLock { $0 = Reading(phase: phase, since: .now, transfer: transfer) }
        changed(phase, true)
        defer {
            state.withLock { $0 = nil }
            changed(phase, false)
        }
        return try await body()
    }

    func transactions(remaining: Int64, total: Int64) {
        state.withLock { $0?.transactions = (remaining, total) }
    }
}
