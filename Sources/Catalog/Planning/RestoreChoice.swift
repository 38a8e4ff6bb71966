import Vocabulary

/// Which backup a full restore starts from.
package struct RestoreChoice: Hashable, Sendable {
    /// The chosen backup; `nil` when none is usable.
    package var backup: ListedBackup?
    /// Why newer ones were passed over, newest first, in Vitess's words.
    package var skipped: [String] = []

    /// Takes the newest complete full backup that the running server can read: the one that holds most, whatever its name
    /// says.
    /// - Parameters:
    ///   - backups: the shard's backups, in the order of their names.
    ///   - methods: engines whose backups can be restored here.
    ///   - directory: their folder, for messages.
    ///   - runningVersion: text of the server that will run on the data; `nil`: nobody knows which.
    package init(
        _ backups: [ListedBackup],
        methods: Set<BackupMethod>,
        directory: String,
        runningVersion: String?
    ) {
        var refusals: [String: String] = [:]
        for candidate in ListedBackup.fullsByAge(backups).reversed() {
            guard let manifest = candidate.manifest else { continue }
            guard methods.contains(manifest.method) else {
                refusals[candidate.name] = Self.foreign(candidate, manifest, methods, directory)
                continue
            }
            if let runningVersion,
                let refusal = Self.refusal(of: candidate, manifest, directory: directory, runningVersion)
            {
                refusals[candidate.name] = refusal
                continue
            }
            backup = candidate
            break
        }
        // A folder that is no backup by its name has no place in their order.
        for other in backups.reversed() where other.time != nil {
            if let refusal = refusals[other.name] {
                skipped.append(refusal)
            } else if let backup, other.name <= backup.name {
                continue
            } else if case .incomplete(let reason) = other.state {
                skipped.append(
                    "Possibly incomplete backup \(other.name) in directory \(directory) on BackupStorage: can't read MANIFEST: \(reason))"
                )
            } else if case .unreadable(let reason) = other.state {
                skipped.append("Skipping backup \(directory)/\(other.name), which cannot be read: \(reason)")
            }
        }
    }

    /// Says that a backup was taken by an engine which is not among those whose backups can be restored here.
    private static func foreign(
        _ backup: ListedBackup,
        _ manifest: Manifest,
        _ methods: Set<BackupMethod>,
        _ directory: String
    ) -> String {
        let known = methods.map(\.description).sorted().joined(separator: " and ")
        return
            "Skipping backup \(directory)/\(backup.name), which was taken with the engine \(PrintableText.excerpt(manifest.method.description)): only \(known) ones can be restored here"
    }

    private static func refusal(
        of backup: ListedBackup,
        _ manifest: Manifest,
        directory: String,
        _ running: String
    ) -> String? {
        let refusal = MySQLVersion.refusal(
            running: running,
            backup: manifest.mysqlVersion,
            upgradeSafe: manifest.upgradeSafe
        )
        return refusal.map {
            "Skipping backup \(directory)/\(backup.name) with incompatible MySQL version \(manifest.mysqlVersion) (upgrade safe: \(manifest.upgradeSafe)): \($0)"
        }
    }
}
