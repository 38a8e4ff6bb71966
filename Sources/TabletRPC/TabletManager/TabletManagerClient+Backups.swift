import FoundationEssentials
import GRPCCore
import SwiftProtobuf
package import Topology
import WireProtos
package import Workflows

extension TabletManagerClient: BackupTablets {
    package func backUp(
        _ tablet: TabletRecord,
        _ request: TabletBackupRequest,
        within limit: Duration,
        onEvent: @escaping @Sendable (TabletEvent) async throws -> Void
    ) async throws {
        let message = Tabletmanagerdata_BackupRequest(request)
        try await call("Backup", tablet, within: limit) { client, metadata, options in
            try await Tabletmanagerservice_TabletManager.Client(wrapping: client).backup(
                request: ClientRequest(message: message, metadata: metadata),
                options: options
            ) { response in
                for try await message in response.messages { try await onEvent(TabletEvent(message.event)) }
            }
        }
    }

    package func restore(
        _ tablet: TabletRecord,
        _ request: TabletRestoreRequest,
        within limit: Duration,
        onEvent: @escaping @Sendable (TabletEvent) async throws -> Void
    ) async throws {
        let message = Tabletmanagerdata_RestoreFromBackupRequest(request)
        try await call("RestoreFromBackup", tablet, within: limit) { client, metadata, options in
            try await Tabletmanagerservice_TabletManager.Client(wrapping: client).restoreFromBackup(
                request: ClientRequest(message: message, metadata: metadata),
                options: options
            ) { response in
                for try await message in response.messages { try await onEvent(TabletEvent(message.event)) }
            }
        }
    }
}

extension Tabletmanagerdata_BackupRequest {
    fileprivate init(_ request: TabletBackupRequest) {
        self.init()
        concurrency = Int32(clamping: request.concurrency)
        allowPrimary = request.allowsPrimary
        incrementalFromPos = request.incrementalFrom
        upgradeSafe = request.upgradeSafe
        if let engine = request.engine { backupEngine = engine }
        if let timeout = request.shutdownTimeout { mysqlShutdownTimeout = Vttime_Duration(timeout) }
        if let queries = request.initQueries {
            initSql.queries = queries.queries
            initSql.tabletTypes = queries.kinds.compactMap { Topodata_TabletType(rawValue: $0.rawValue) }
            initSql.timeout = Vttime_Duration(queries.timeout)
            initSql.failOnError = queries.failsOnError
        }
    }
}

extension Tabletmanagerdata_RestoreFromBackupRequest {
    fileprivate init(_ request: TabletRestoreRequest) {
        self.init()
        if let time = request.backupTime { backupTime = Vttime_Time(time) }
        restoreToPos = request.position
        if let time = request.time { restoreToTimestamp = Vttime_Time(time) }
        dryRun = request.dryRun
        allowedBackupEngines = request.allowedEngines
    }
}

extension TabletEvent {
    fileprivate init(_ event: Logutil_Event) {
        self.init(
            time: event.hasTime ? event.time.date : nil,
            level: TabletEvent.Level(event.level),
            file: event.file,
            line: Int(event.line),
            text: event.value
        )
    }
}

extension TabletEvent.Level {
    fileprivate init(_ level: Logutil_Level) {
        self =
            switch level {
            case .info, .UNRECOGNIZED: .info
            case .warning: .warning
            case .error: .error
            case .console: .console
            }
    }
}

// Times and durations as Vitess writes them.

extension Vttime_Time {
    /// Seconds are rounded down, so that the nanoseconds are never negative.
    fileprivate init(_ date: Date) {
        self.init()
        let whole = date.timeIntervalSince1970.rounded(.down)
        seconds = Int64(whole)
        nanoseconds = Int32((date.timeIntervalSince1970 - whole) * 1e9)
    }

    /// `nil`: the zero time of Go programs, which says that there is none.
    fileprivate var date: Date? {
        if seconds == -62_135_596_800, nanoseconds == 0 { return nil }
        return Date(timeIntervalSince1970: Double(seconds) + Double(nanoseconds) / 1e9)
    }
}

extension Vttime_Duration {
    /// Seconds and nanoseconds carry the same sign.
    fileprivate init(_ duration: Duration) {
        self.init()
        seconds = duration.components.seconds
        nanos = Int32(duration.components.attoseconds / 1_000_000_000)
    }
}
