package import FoundationEssentials

/// Whether a pass has to take a backup, and why.
package enum Freshness: Hashable, Sendable {
    /// A backup is due; `base` is the newest complete backup, if any.
    case take(reason: String)
    /// Nothing to do; the reason is logged and the pass succeeds.
    case skip(reason: String)
    /// The operator must decide; the message is the error.
    case refuse(message: String)

    /// Clocks of two hosts may differ by so many seconds without anybody noticing.
    private static let clockTolerance = 300.0

    /// The policy flags that decide.
    package struct Policy: Hashable, Sendable {
        package var initialBackup = false
        package var allowFirstBackup = false
        /// Seconds; zero takes a backup always.
        package var minimumInterval: Double = 0

        /// Creates the default policy: always, with a backup to start from.
        package init() {}
    }

    /// Decides from what storage holds.
    /// - Parameters:
    ///   - backups: the shard's backups, oldest first.
    ///   - policy: what the operator asked for.
    ///   - now: the moment of the pass.
    /// - Returns: the decision with Vitess's wording.
    package static func decide(_ backups: [ListedBackup], policy: Policy, now: Date) -> Freshness {
        let complete = backups.filter { $0.manifest != nil && $0.time != nil }
        // A backup from a clock that was ahead must not keep new ones from being taken until its time has come.
        let newest = complete.last { ($0.time ?? now).timeIntervalSince(now) <= clockTolerance } ?? complete.last
        if policy.initialBackup, !backups.contains(where: \.isUnreadable) || newest != nil {
            if newest != nil {
                return .skip(
                    reason:
                        "At least one complete backup already exists, so there's no need to seed an empty backup. Doing nothing."
                )
            }
            return .take(reason: "the shard has no complete backup yet: seeding it with an empty one")
        }
        guard let newest, let time = newest.time else {
            // It may be complete: starting empty beside it must be somebody's decision.
            if let unreadable = backups.last(where: \.isUnreadable), let problem = unreadable.problem {
                return .refuse(
                    message:
                        "backup \(unreadable.name) cannot be read, and no other one is complete: \(problem); HINT: see why storage cannot read it, or remove it"
                )
            }
            if policy.allowFirstBackup { return .take(reason: "this is the first complete backup of the shard") }
            return .refuse(
                message: backups.isEmpty
                    ? "no existing backups to restore from; backup is not possible since --initial_backup flag was not enabled"
                    : "no complete backups to restore from; backup is not possible since --initial_backup flag was not enabled"
            )
        }
        guard policy.minimumInterval > 0 else {
            return .take(reason: "--min-backup-interval is not set, so every pass takes a backup")
        }
        let age = now.timeIntervalSince(time)
        let last = "last complete backup \(newest.name) was started \(GoDuration.text(seconds: age)) ago"
        if age > -clockTolerance, age < policy.minimumInterval {
            return .skip(
                reason:
                    "Skipping backup since only \(GoDuration.text(seconds: age)) has elapsed since the last backup at \(BackupTimestamp.rfc3339(time)), which is less than the min_backup_interval of \(GoDuration.text(seconds: policy.minimumInterval))."
            )
        }
        return .take(reason: "\(last), --min-backup-interval is \(GoDuration.text(seconds: policy.minimumInterval))")
    }
}
