import Concurrency
import Logging
import MySQLControl
import Vocabulary

/// Stops replication, for as long as the applier works on what it has begun.
///
/// A server answers only when its applier has ended the transactions that it is at: a change of a large table, or a large
/// transaction just behind the goal, takes hours, and they are not lost for it.
struct ReplicationStop: Sendable {
    let clock: Clocks
    let limits: CatchUp.Limits
    let logger: Logger

    private static let lineInterval = Duration.seconds(60)

    /// Stops it.
    /// - Throws: ``WorkflowError`` when nothing moves any more, or what the server answers.
    func run(on server: any ReplicatingServer) async throws {
        // The watch ends by itself only when the server hangs.
        try await withHelpers([{ try await watch(server) }]) { try await server.stopReplication() }
    }

    private func watch(_ server: any ReplicatingServer) async throws {
        let begun = clock.elapsed()
        var watch = ProgressWatch(limit: limits.noProgress, now: begun)
        var lastLine = begun
        while true {
            try await clock.sleep(.seconds(1))
            do {
                let status = try await withDeadline(limits.status, operation: "reading the replica's status") {
                    try await server.replicationStatus()
                }
                if let status {
                    _ = watch.note(status, at: clock.elapsed())
                    watch.note(reason: status.state)
                }
            } catch {
                try Task.checkCancellation()
                watch.note(reason: "its status cannot be read: \(error)")
            }
            let now = clock.elapsed()
            guard !watch.isStalled(at: now) else {
                throw WorkflowError(
                    .catchUp,
                    "replication does not stop: nothing has moved for \(GoDuration.text(seconds: limits.noProgress / .seconds(1))): \(watch.reason); HINT: see whether something on this host blocks mysqld, and its error log; nothing was changed, the next pass starts from the newest complete backup again"
                )
            }
            if now - lastLine >= Self.lineInterval {
                lastLine = now
                logger.warning(
                    "replication has been stopping for \(GoDuration.text(seconds: ((now - begun) / .seconds(1)).rounded())): the applier ends what it has begun (\(watch.reason))"
                )
            }
        }
    }
}
