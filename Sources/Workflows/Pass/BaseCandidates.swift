import FoundationEssentials
import Logging
import Positions

/// Which of a shard's backups a pass may start from, besides being complete and undamaged.
struct BaseCandidates: Sendable {
    let backups: ShardBackups
    /// What the primary's binary logs no longer hold; `nil`: not known.
    let purged: Position?
    let logger: Logger
    /// Backups from which the primary cannot be caught up with: it has purged what they lack.
    private(set) var behind: Set<String> = []
    /// Backups that an earlier pass could not catch up from; they come last.
    private(set) var deferred: Set<String> = []
    private var isLastResort = false

    init(backups: ShardBackups, purged: Position?, logger: Logger) {
        (self.backups, self.purged, self.logger) = (backups, purged, logger)
    }

    /// Whether the choice is among this backup and others.
    func admits(_ name: String) -> Bool { !behind.contains(name) && (isLastResort || !deferred.contains(name)) }

    /// Looks at a backup that would be chosen.
    /// - Returns: whether it may be.
    mutating func consider(_ name: String, _ position: Position?) async -> Bool {
        if let purged, !purged.isEmpty, position?.isAtLeast(purged) != true {
            behind.insert(name)
            logger.warning(
                "backup \(backups.shard)/\(name) is passed over: the primary has purged binary logs that it lacks (up to \(purged))"
            )
            return false
        }
        guard !isLastResort else { return true }
        do {
            guard let record = try await backups.catchUpFailure(of: name) else { return true }
            deferred.insert(name)
            logger.warning(
                "backup \(backups.shard)/\(name) is passed over as long as there is another: it cannot be caught up with since \(record.since.formatted(.iso8601)): \(record.reason)"
            )
            return false
        } catch {
            logger.warning("cannot read whether backup \(backups.shard)/\(name) could be caught up with: \(error)")
            return true
        }
    }

    /// Nothing else is left: what is wrong may have been set right on the primary.
    /// - Returns: whether there is something to try again.
    mutating func resort() -> Bool {
        guard !isLastResort, !deferred.isEmpty else { return false }
        isLastResort = true
        return true
    }
}
