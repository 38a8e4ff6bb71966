package import FoundationEssentials
package import Topology

/// What a tablet is asked to back up, and how.
package struct TabletBackupRequest: Hashable, Sendable {
    /// Statements before the backup that do not replicate.
    package struct InitQueries: Hashable, Sendable {
        package var queries: [String]
        /// Tablets of other kinds do not run them.
        package var kinds: [TabletRecord.Kind]
        package var timeout: Duration
        package var failsOnError: Bool

        /// Describes the statements.
        package init(queries: [String], kinds: [TabletRecord.Kind], timeout: Duration, failsOnError: Bool) {
            (self.queries, self.kinds, self.timeout, self.failsOnError) = (queries, kinds, timeout, failsOnError)
        }
    }

    /// Files at once.
    package var concurrency = 4
    package var allowsPrimary = false
    /// A position, `auto`, or empty for a full backup.
    package var incrementalFrom = ""
    package var upgradeSafe = false
    /// `nil`: as the tablet is configured.
    package var engine: String?
    /// `nil`: the tablet's default.
    package var shutdownTimeout: Duration?
    package var initQueries: InitQueries?

    /// A full backup as the tablet is configured.
    package init() {}
}

/// What a tablet is asked to restore.
package struct TabletRestoreRequest: Hashable, Sendable {
    /// `nil`: the newest backup; else the newest one that is not younger.
    package var backupTime: Date?
    /// Recovery up to a position; empty: none.
    package var position = ""
    /// Recovery up to a time; `nil`: none.
    package var time: Date?
    package var dryRun = false
    /// Empty: any.
    package var allowedEngines: [String] = []

    /// The newest backup.
    package init() {}
}

/// A line of a tablet's log while it works for us.
package struct TabletEvent: Hashable, Sendable {
    /// How loud a line is.
    package enum Level: Hashable, Sendable {
        case info, warning, error
        /// Printed as it is.
        case console
    }

    package var time: Date?
    package var level: Level
    package var file: String
    package var line: Int
    package var text: String

    /// A line.
    package init(time: Date?, level: Level, file: String, line: Int, text: String) {
        (self.time, self.level, self.file, self.line, self.text) = (time, level, file, line, text)
    }
}

/// The port to tablets that back themselves up, or restore.
///
/// Both take hours: the tablet stops working when the caller's time is up or the caller goes away. Lines at level `error` are
/// no failure by themselves.
package protocol BackupTablets: Sendable {
    /// Lets a tablet take a backup.
    /// - Throws: why it failed, or what `onEvent` throws.
    func backUp(
        _ tablet: TabletRecord,
        _ request: TabletBackupRequest,
        within limit: Duration,
        onEvent: @escaping @Sendable (TabletEvent) async throws -> Void
    ) async throws

    /// Lets a tablet replace its data by a backup.
    /// - Throws: why it failed, or what `onEvent` throws.
    func restore(
        _ tablet: TabletRecord,
        _ request: TabletRestoreRequest,
        within limit: Duration,
        onEvent: @escaping @Sendable (TabletEvent) async throws -> Void
    ) async throws
}
