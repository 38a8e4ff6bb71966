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
    /// - Returns: whether it is more than ever before.
    mutating func note(_ status: ReplicationStatus, at now: Duration) -> Bool {
        var moved = false
        if executed?.isAtLeast(status.position) != true { (executed, moved) = (status.position, true) }
        if case .mysql56(let set)? = status.retrieved, retrieved?.contains(set) != true {
            (retrieved, moved) = (retrieved?.union(set) ?? set, true)
        }
        if status.sourceLog > sourceLog { (sourceLog, moved) = (status.sourceLog, true) }
        if status.work > work { (work, moved) = (status.work, true) }
        if moved { since = now }
        return moved
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
