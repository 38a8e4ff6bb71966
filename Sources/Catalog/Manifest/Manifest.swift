package import FoundationEssentials
package import Positions

/// The commit record of a backup: what was backed up, from where, at which position, and how to read it again.
///
/// The format is that of Vitess (`Documentation/formats/manifest.md`): key order, escapes and time formats are written
/// byte for byte; on reading, unknown keys are ignored and missing keys have their zero value.
package struct Manifest: Hashable, Sendable {
    /// When the events of an incremental backup happened.
    package struct IncrementalDetails: Hashable, Sendable {
        package var firstTimestamp = ""
        package var firstTimestampBinlog = ""
        package var lastTimestamp = ""
        package var lastTimestampBinlog = ""

        /// Creates empty details.
        package init() {}
    }

    package var backupName = ""
    /// Executed GTID set at the end of the backup; `nil` when the server had no position.
    package var position: Position?
    package var purgedPosition: Position?
    package var fromPosition: Position?
    package var fromBackup = ""
    package var incremental = false
    package var backupTime: Date?
    package var finishedTime: Date?
    package var serverUUID = ""
    package var tabletAlias = ""
    /// Absent in manifests of Vitess 23 and earlier.
    package var hostname: String?
    package var keyspace = ""
    package var shard = ""
    /// Free text with `Ver x.y.z` in it.
    package var mysqlVersion = ""
    package var upgradeSafe = false
    package var incrementalDetails: IncrementalDetails?
    /// What only its engine knows.
    package var details: Details

    /// Creates an empty manifest.
    package init(_ details: Details = .builtin(Builtin())) {
        self.details = details
    }

    /// Time from the start of the backup to the writing of the manifest, seconds.
    package var duration: Double? {
        guard let backupTime, let finishedTime else { return nil }
        return finishedTime.timeIntervalSince(backupTime)
    }
}
