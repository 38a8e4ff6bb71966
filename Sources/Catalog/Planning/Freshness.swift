package import FoundationEssentials
import Vocabulary

/// Whether a pass has to take a backup, and why.
package enum Freshness: Hashable, Sendable {
    /// A backup is due; `base` is the newest complete backup, if any.
    case take(reason: String)
    /// Nothing to do; the reason is logged and the pass succeeds.
    case skip(reason: String)
    /// The operator must decide; the message is the error.
    case refuse(message: String)

    /// The policy flags that decide.
    package struct Policy: Hashable, Sendable {
        package var initialBackup = false
        package var allowFirstBackup = false
        /// Seconds; zero takes a backup always.
        package var minimumInterval: Double = 0

        /// Creates the default policy: always, with a backup to start from.
        package init() {}
    }

    /// The complete backup that was taken last, which decides.
    ///
    /// One from a clock that was ahead must not keep new ones from being taken until its time has come.
    package static func newest(of backups: [ListedBackup], now: Date) -> ListedBackup? {
        let complete = backups.filter { $0.manifest != nil && $0.time != nil }
        return complete.last { !$0.isFromTheFuture(now) } ?? complete.last
    }

    /// Decides from what storage holds.
    /// - Parameters:
    ///   - backups: the shard's backups, oldest first.
    ///   - policy: what the operator asked for.
    ///   - now: the moment of the pass.
    /// - Returns: the decision with Vitess's wording.
    package static func decide(_ backups: [ListedBackup], policy: Policy, now: Date) -> Freshness {
        let newest = newest(of: backups, now: now)
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
            return .refuse(message: nothingToStartFrom(backups))
        }
        guard policy.minimumInterval > 0 else {
            return .take(reason: "--min-backup-interval is not set, so every pass takes a backup")
        }
        let age = now.timeIntervalSince(time)
        let last = "last complete backup \(newest.name) was started \(GoDuration.text(seconds: age)) ago"
        if age >= -ListedBackup.clockTolerance, age < policy.minimumInterval {
            return .skip(
                reason:
                    "Skipping backup since only \(GoDuration.text(seconds: age)) has elapsed since the last backup at \(BackupTimestamp.rfc3339(time)), which is less than the min_backup_interval of \(GoDuration.text(seconds: policy.minimumInterval))."
            )
        }
        return .take(reason: "\(last), --min-backup-interval is \(GoDuration.text(seconds: policy.minimumInterval))")
    }

    private static func nothingToStartFrom(_ backups: [ListedBackup]) -> String {
        let found = backups.filter { $0.time != nil }
        let end = "backup is not possible since --initial_backup flag was not enabled"
        guard let newest = found.last else { return "no existing backups to restore from; \(end)" }
        let shown = found.suffix(3).reversed().map { "\($0.name): \($0.problem ?? "it is incremental")" }
        let more = found.count > shown.count ? [" and \(found.count - shown.count) more"] : []
        return
            "no complete backups to restore from; \(end); found \((shown + more).joined(separator: "; ")); HINT: mend the MANIFEST of \(newest.name) if it should be a good one, or take a first backup with --allow-first-backup"
    }
}
