/// Which backup a full restore starts from.
package struct RestoreChoice: Hashable, Sendable {
    /// The chosen backup; `nil` when none is usable.
    package var backup: ListedBackup?
    /// Why newer ones were passed over, newest first, in Vitess's words.
    package var skipped: [String] = []

    /// Takes the newest complete full backup that the running server can read.
    /// - Parameters:
    ///   - backups: the shard's backups, oldest first.
    ///   - directory: their folder, for messages.
    ///   - runningVersion: text of the server that will run on the data.
    package init(_ backups: [ListedBackup], directory: String, runningVersion: String) {
        // A folder that is no backup by its name has no place in their order.
        for candidate in backups.reversed() where candidate.time != nil {
            switch candidate.state {
            case .incomplete(let reason):
                skipped.append(
                    "Possibly incomplete backup \(candidate.name) in directory \(directory) on BackupStorage: can't read MANIFEST: \(reason))"
                )
            case .unreadable(let reason):
                skipped.append("Skipping backup \(directory)/\(candidate.name), which cannot be read: \(reason)")
            case .complete(let manifest) where manifest.incremental:
                continue
            case .complete(let manifest):
                let refusal = MySQLVersion.refusal(
                    running: runningVersion,
                    backup: manifest.mysqlVersion,
                    upgradeSafe: manifest.upgradeSafe
                )
                if let refusal {
                    skipped.append(
                        "Skipping backup \(directory)/\(candidate.name) with incompatible MySQL version \(manifest.mysqlVersion) (upgrade safe: \(manifest.upgradeSafe)): \(refusal)"
                    )
                    continue
                }
                backup = candidate
                return
            }
        }
    }
}
