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

    /// The keys that only the builtin engine writes.
    package struct Builtin: Hashable, Sendable {
        /// Value of `--compression-engine-name`, also when compression was off; empty in very old backups (`pgzip`).
        package var compressionEngine = ""
        /// Empty when they were only counted.
        package var files: [FileEntry] = []
        /// Of a list that was not kept.
        var counted: FileTotals?
        package var skipCompress = false
        package var externalDecompressor = ""

        /// Creates an empty list of files.
        package init() {}

        /// The engine that wrote the objects; backups from before the key existed are gzip.
        package var effectiveCompressionEngine: String { compressionEngine.isEmpty ? "pgzip" : compressionEngine }

        /// Number of files, and their bytes when the manifest knows them.
        package var totals: FileTotals { counted ?? FileTotals(count: files.count, sizes: sumOfSizes) }

        /// Bytes of all files and of all objects, when the manifest knows them.
        package var totalSizes: FileEntry.Sizes? { totals.sizes }

        /// Lets go of the list of files: a hundred backups of twenty thousand tables must not be in memory at once.
        package mutating func dropFiles() {
            counted = totals
            files = []
        }

        private var sumOfSizes: FileEntry.Sizes? {
            var total = FileEntry.Sizes(raw: 0, stored: 0)
            for file in files {
                guard let sizes = file.sizes else { return nil }
                total.raw += sizes.raw
                total.stored += sizes.stored
            }
            return total
        }
    }

    package var backupName = ""
    /// `builtin`, `xtrabackup` or `mysqlshell`.
    package var method = "builtin"
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
    /// `nil` for the other engines.
    package var builtin: Builtin?

    /// Creates an empty manifest of the builtin engine.
    package init() {}

    /// Time from the start of the backup to the writing of the manifest, seconds.
    package var duration: Double? {
        guard let backupTime, let finishedTime else { return nil }
        return finishedTime.timeIntervalSince(backupTime)
    }
}
