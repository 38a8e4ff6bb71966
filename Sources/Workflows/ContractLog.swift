import FoundationEssentials
import Positions
import Vocabulary

/// Log lines that operators search and alert on: whole messages in Vitess's words.
package enum ContractLog {
    package static let pruningDisabled = "Pruning of old backups is disabled."
    package static let backupSuccessful = "Backup successful."
    package static let initialBackupSuccessful = "Initial backup successful."
    package static let lookingForBackup = "Restore: looking for a suitable backup to restore"
    package static let restoreComplete = "Restore: complete"
    package static let notUsable = "backup is not usable, aborting it"

    static func ignoringIncomplete(_ name: String, _ reason: String) -> String {
        "Ignoring backup \(name) because it's incomplete: \(reason)"
    }

    static func startingBackup(_ name: String) -> String { "Starting backup \(name)" }

    static func usingEngine(_ name: String) -> String { "Using backup engine \"\(name)\"" }

    static func foundBackup(_ directory: ShardPath, _ name: String) -> String {
        "Restore: found latest backup \(directory) \(name) to restore"
    }

    static func restorePath(_ name: String) -> String { "Restore: RestorePath: [full:\(name)]" }

    static func usingPosition(_ position: Position) -> String { "using replication position: \(position)" }

    static func settingPurged(_ position: Position) -> String {
        "Restore: @@gtid_purged does not equal manifest's GTID position. Setting @@gtid_purged to \(position)"
    }

    static func removing(_ name: String, _ directory: ShardPath, limit: Double) -> String {
        "Removing old backup \(name) from \(directory), since it's older than min_retention_time of \(GoDuration.text(seconds: limit))"
    }

    static func notOldEnough(_ time: Date, limit: Double) -> String {
        "Oldest backup taken at \(BackupTimestamp.rfc3339(time)) has not reached min_retention_time of \(GoDuration.text(seconds: limit)). Nothing left to prune."
    }

    static func removingFolder(_ folder: String) -> String { "Removing temporary tablet directory: \(folder)" }

    static func waitingToRetry(_ delay: Duration, _ error: any Error) -> String {
        "Waiting \(GoDuration.text(seconds: delay / .seconds(1))) to retry after error: \(error)"
    }
}
