package import FoundationEssentials
import Positions
import Vocabulary

/// Which backups of a shard a pass keeps and which it removes, each with the reason.
///
/// Only complete full backups count towards the number to keep, because only they can be restored on their own. A backup
/// that a kept incremental needs is never removed. An incomplete one is removed once it is older than the retention time
/// and than the newest complete backup: until then it may still be being written. A folder whose name is no backup name
/// is left alone.
package struct Retention: Hashable, Sendable {
    /// The policy flags.
    package struct Policy: Hashable, Sendable {
        /// Seconds; zero disables pruning.
        package var minimumTime: Double = 0
        /// At least one, checked on the command line.
        package var minimumCount = 1

        /// Creates the default policy, which removes nothing.
        package init() {}
    }

    /// What happens to one backup.
    package struct Verdict: Hashable, Sendable {
        package var name: String
        package var remove: Bool
        package var reason: String
    }

    /// One verdict per listed backup, oldest first.
    package private(set) var verdicts: [Verdict] = []

    /// The backups to remove, dependents before what they depend on (newest first), so that an abort half way leaves
    /// every remaining backup usable.
    package var removals: [Verdict] { verdicts.filter(\.remove).reversed() }

    /// Plans without touching anything.
    /// - Parameters:
    ///   - backups: the shard's backups, in the order of their names.
    ///   - policy: how long and how many to keep.
    ///   - now: the moment of the pass.
    ///   - spared: backups that stay whatever the policy says, with the reason.
    package init(_ backups: [ListedBackup], policy: Policy, now: Date, sparing spared: [String: String] = [:]) {
        guard policy.minimumTime > 0 else {
            verdicts = backups.map {
                Verdict(name: $0.name, remove: false, reason: "Pruning of old backups is disabled.")
            }
            return
        }
        let dated = backups.filter { $0.time != nil }
        let fulls = ListedBackup.fullsByAge(dated)
        // A name from the future says nothing of what came after what.
        let newestComplete = dated.last { $0.manifest != nil && !$0.isFromTheFuture(now) }
        let limit = GoDuration.text(seconds: policy.minimumTime)
        let keptByCount = Set(fulls.suffix(policy.minimumCount).map(\.name))
        var kept = spared
        for backup in backups where kept[backup.name] == nil {
            guard let time = backup.time else {
                kept[backup.name] = "its name is no backup name (date.time.tablet-alias)"
                continue
            }
            if backup.isUnreadable {
                kept[backup.name] = "it cannot be read now, so that nobody knows what it is"
            } else if keptByCount.contains(backup.name) {
                kept[backup.name] =
                    "it is one of the \(policy.minimumCount) newest complete full backups (min_retention_count)"
            } else if now.timeIntervalSince(time) < policy.minimumTime {
                kept[backup.name] = "it has not reached min_retention_time of \(limit)"
            } else if backup.manifest == nil, !(newestComplete.map { backup.name < $0.name } ?? false) {
                kept[backup.name] = "it is incomplete and no newer backup is complete"
            } else if backup.manifest?.incremental == true, !fulls.contains(where: { $0.isNewer(than: backup) }) {
                kept[backup.name] = "it is incremental and no newer full backup replaces it"
            }
        }
        keepBases(of: dated, now, in: &kept)
        verdicts = backups.map { backup in
            if let reason = kept[backup.name] { return Verdict(name: backup.name, remove: false, reason: reason) }
            let state = backup.manifest == nil ? "incomplete backup" : "old backup"
            return Verdict(
                name: backup.name,
                remove: true,
                reason: "\(state), older than min_retention_time of \(limit)"
            )
        }
    }

    /// Adds to `kept` what its incrementals are built on, transitively.
    private func keepBases(of backups: [ListedBackup], _ now: Date, in kept: inout [String: String]) {
        // Once is enough unless clocks disagree: a base may then be named later than what is built on it.
        var before = -1
        while before != kept.count {
            before = kept.count
            keepDirectBases(of: backups, now, in: &kept)
        }
    }

    private func keepDirectBases(of backups: [ListedBackup], _ now: Date, in kept: inout [String: String]) {
        for (index, backup) in backups.enumerated().reversed() {
            guard kept[backup.name] != nil, let manifest = backup.manifest, manifest.incremental else { continue }
            let older = backups[..<index]
            // One that is named in the future may have been taken at any time.
            let future = backups[(index + 1)...].filter { $0.isFromTheFuture(now) }
            let named = backups.first { $0.name == manifest.fromBackup && $0.manifest != nil }
            let covers: (ListedBackup) -> Bool = { $0.manifest?.position?.isAtLeast(manifest.fromPosition) == true }
            let coversFully: (ListedBackup) -> Bool = { $0.manifest?.incremental == false && covers($0) }
            // The newest full one below it too: with a broken chain in between it is the best that is left to start from.
            let full = older.last { $0.manifest?.incremental == false }
            let bases = [
                named, older.last(where: covers), older.last(where: coversFully), full, future.last(where: coversFully),
            ]
            for base in bases.compactMap({ $0 }) where kept[base.name] == nil {
                kept[base.name] = "incremental backup \(backup.name) needs it"
            }
        }
    }
}
