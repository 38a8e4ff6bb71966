import Engines
import FoundationEssentials
import MySQLControl
import Positions
import SystemPackage

/// A stopped server whose files can be copied, and what its manifest says of it.
struct PreparedServer: Sendable {
    var position: Position
    var purgedPosition: Position?
    var serverUUID: String
    var versionText: String
    /// XA transactions that wait for their end, and so must be in the backup; `nil`: nobody knows.
    var preparedTransactions: [String]?
    /// Where the primary keeps its undo tablespaces, when that is elsewhere than our server does.
    var undoOfPrimary: FilePath?
    /// What it says of the files that are to be copied.
    var files = ServerFiles()
    /// When the backup counts as started: after catching up.
    var backupTime: Date
    /// The server was told to stop slowly, so that the next series can open its files.
    var upgradeSafe = false
    /// Complete backups that were found to be no good on the way here, with the reason.
    var rejectedBackups: [String: String] = [:]

    /// Reads what the manifest needs from a server that does not change any more.
    init(reading server: any DescribedServer, now: Date, undoOfPrimary: FilePath? = nil) async throws {
        self.undoOfPrimary = undoOfPrimary
        position = try await server.executedPosition()
        purgedPosition = try await server.purgedPosition()
        serverUUID = try await server.serverUUID()
        versionText = try await server.versionText()
        preparedTransactions = try await server.preparedTransactions()
        backupTime = now
    }
}
