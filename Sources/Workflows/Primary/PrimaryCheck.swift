import Concurrency
import Logging
import Topology

/// Asks before hours of restoring for what catching up will need of the primary.
struct PrimaryCheck: Sendable {
    let primary: ShardPrimary
    /// `nil`: it is not asked whether replication would be let in.
    let access: (any ReplicationAccess)?
    let logger: Logger

    private static let attemptLimit = Duration.seconds(60)

    /// Refusals end the pass when they last; whoever cannot be reached may be back after the restore.
    /// - Throws: ``WorkflowError``.
    func run() async throws {
        var refusals = RefusalWatch(patience: ShardPrimary.refusalPatience)
        var delay = Duration.seconds(1)
        while true {
            do {
                return try await withDeadline(Self.attemptLimit, operation: "asking the primary before the restore") {
                    try await ask()
                }
            } catch let error as PrimaryError {
                if refusals.note(error.description, at: primary.clock.elapsed(), logger) {
                    throw WorkflowError(.catchUp, "not taking backup: \(error)")
                }
            } catch {
                try Task.checkCancellation()
                logger.warning("cannot tell before the restore whether the primary lets us catch up: \(error)")
                return
            }
            try await primary.clock.sleep(delay)
            delay = min(delay * 2, .seconds(10))
        }
    }

    private func ask() async throws {
        let tablet = try await primary.tablet()
        _ = try await primary.position(of: tablet)
        try await access?.check(tablet)
    }
}
