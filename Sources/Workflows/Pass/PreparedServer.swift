import FoundationEssentials
import MySQLControl
import Positions

/// A stopped server whose files can be copied, and what its manifest says of it.
struct PreparedServer: Sendable {
    var position: Position
    var purgedPosition: Position?
    var serverUUID: String
    var versionText: String
    /// When the backup counts as started: after catching up.
    var backupTime: Date
    /// Complete backups that were found to be no good on the way here, with the reason.
    var rejectedBackups: [String: String] = [:]

    /// Reads what the manifest needs from a server that does not change any more.
    init(reading server: any ReplicaServer, now: Date) async throws {
        position = try await server.executedPosition()
        purgedPosition = try await server.purgedPosition()
        serverUUID = try await server.serverUUID()
        versionText = try await server.versionText()
        backupTime = now
    }
}
