import Catalog
import FoundationEssentials
import Logging
import Positions
import Vocabulary

/// Which of a shard's backups a pass may start from, besides being complete and undamaged.
struct BaseCandidates: Sendable {
    let shard: ShardPath
    /// What the primary's binary logs no longer hold; `nil`: not known.
    let purged: Position?
    let logger: Logger
    /// Backups from which the primary cannot be caught up with: it has purged what they lack.
    private(set) var behind: Set<String> = []
    /// Backups that an earlier pass could not catch up from; they come last.
    private(set) var deferred: Set<String> = []
    private var isLastResort = false

    init(of shard: ShardPath, purged: Position?, logger: Logger) {
        (self.shard, self.purged, self.logger) = (shard, purged, logger)
    }

    /// Whether the choice is among this backup and others.
    func admits(_ name: String) -> Bool { !behind.contains(name) && (isLastResort || !deferred.contains(name)) }

    /// Looks at a backup that would be chosen.
    /// - Returns: whether it may be.
    mutating func consider(_ backup: ListedBackup) -> Bool {
        let (name, position) = (backup.name, backup.manifest?.position)
        if let purged, !purged.isEmpty, position?.isAtLeast(purged) != true {
            behind.insert(name)
            logger.warning(
                "backup \(shard)/\(name) is passed over: the primary has purged binary logs that it lacks (up to \(purged))"
            )
            return false
        }
        guard !isLastResort else { return true }
        switch backup.catchUpFailure {
        case .nothing: return true
        case .unreadable(let reason):
            logger.warning("cannot read whether backup \(shard)/\(name) could be caught up with: \(reason)")
            return true
        case .record(let record):
            deferred.insert(name)
            logger.warning(
                "backup \(shard)/\(name) is passed over as long as there is another: it cannot be caught up with since \(record.since.formatted(.iso8601)): \(record.reason)"
            )
            return false
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
