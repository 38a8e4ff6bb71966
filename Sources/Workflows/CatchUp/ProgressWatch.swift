import MySQLControl
import Positions

/// Tells a replica that is slow from one that stands still.
///
/// What counts only grows, so that connecting, losing the connection and beginning anew does not look like progress.
struct ProgressWatch {
    private let limit: Duration
    private var executed: Position?
    private var retrieved: GTIDSet?
    private var sourceLog = ReplicationStatus.SourceLog()
    private var work: Int64 = 0
    /// When something moved last.
    private(set) var since: Duration
    /// Why it does not move, as far as is known.
    private(set) var reason = ""

    /// Starts watching at `now`.
    init(limit: Duration, now: Duration) {
        (self.limit, since) = (limit, now)
    }

    /// Looks at what the server has received and applied so far.
    /// - Parameters:
    ///   - status: the reading.
    ///   - goal: what is received beyond it is no progress: on a busy primary that never ends.
    ///   - now: when it was read.
    /// - Returns: whether more was applied than ever before.
    mutating func note(_ status: ReplicationStatus, goal: Position? = nil, at now: Duration) -> Bool {
        var applied = false
        if executed?.isAtLeast(status.position) != true { (executed, applied) = (status.position, true) }
        if status.work > work { (work, applied) = (status.work, true) }
        let received = hasReceived(goal, status) ? false : noteReceived(status)
        if applied || received { since = now }
        return applied
    }

    private mutating func noteReceived(_ status: ReplicationStatus) -> Bool {
        var moved = false
        if case .mysql56(let set)? = status.retrieved, retrieved?.contains(set) != true {
            (retrieved, moved) = (retrieved?.union(set) ?? set, true)
        }
        if status.sourceLog > sourceLog { (sourceLog, moved) = (status.sourceLog, true) }
        return moved
    }

    /// Whether all that is wanted is here and has only to be applied.
    private func hasReceived(_ goal: Position?, _ status: ReplicationStatus) -> Bool {
        guard let goal else { return false }
        if case (.mysql56(let wanted), .mysql56(let done), .mysql56(let here)?) = (
            goal, status.position, status.retrieved
        ) {
            return done.union(here).contains(wanted)
        }
        return status.retrieved?.isAtLeast(goal) == true
    }

    /// Notes why nothing moves.
    mutating func note(reason: String) { self.reason = reason }

    /// Begins anew with another source.
    mutating func restart(at now: Duration) {
        (since, sourceLog) = (now, ReplicationStatus.SourceLog())
    }

    /// Whether nothing has moved for as long as is allowed.
    func isStalled(at now: Duration) -> Bool { now - since >= limit }
}
