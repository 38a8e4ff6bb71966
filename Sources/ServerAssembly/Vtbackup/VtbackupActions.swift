import Catalog
import FoundationEssentials
import Host
import Logging
import MySQLControl
import Observability
import Positions
import SystemPackage
import Vocabulary
import Workflows

/// The actions that are no pass: list, show what pruning would do, restore into a folder.
struct VtbackupActions: Sendable {
    let options: VtbackupOptions
    let backups: ShardBackups
    let parts: CopyingParts
    let sink: LogSink
    let logger: Logger
    /// Takes results for stdout.
    let print: @Sendable (String) -> Void

    func list() async throws {
        let listed = try await backups.load()
        for backup in listed where backup.storedManifest != nil {
            if let warning = backup.warning(Date()) { logger.warning("\(warning)") }
            if case .unreadable(let reason) = backup.verification {
                logger.warning("cannot read whether backup \(backups.shard)/\(backup.name) was verified: \(reason)")
            }
            if case .unreadable(let reason) = backup.catchUpFailure {
                logger.warning(
                    "cannot read whether backup \(backups.shard)/\(backup.name) could be caught up with: \(reason)"
                )
            }
        }
        let listing = BackupListing(shard: backups.shard, backups: listed)
        print(options.action.json ? try listing.json() : listing.table)
    }

    func showPruning() async throws {
        let pruning = Pruning(backups: backups, policy: options.policy.retention, logger: logger)
        let report = RetentionReport(shard: backups.shard, retention: try await pruning.plan(now: Date()))
        print(options.action.json ? try report.json() : report.table)
    }

    func restore() async throws {
        let folder = FilePath(FileManager.default.currentDirectoryPath).pushing(FilePath(options.action.restoreTo))
        let owner = try ownerOfRestored(folder)
        let engines = parts.restoreEngines(owner: owner, durable: true)
        let action = RestoreToFolder(backups: backups, engines: engines, owner: owner, logger: logger)
        let name = options.action.backupName.isEmpty ? nil : options.action.backupName
        let manifest = try await PassProgressDisplay.during(sink) { progress in
            try await action.run(name: name, into: folder, progress: progress)
        }
        let report = RestoreReport(
            backup: manifest.backupName,
            folder: folder.string,
            position: manifest.position.encoded
        )
        print(
            options.action.json
                ? try JSONText.encode(report)
                : "restored \(PrintableText.line(report.backup)) to \(PrintableText.line(report.folder))\nposition \(PrintableText.line(report.position))\n"
        )
    }

    /// As root, what is restored belongs to the owner of the folder it goes to, or of the one above.
    private func ownerOfRestored(_ folder: FilePath) throws -> FileOwner? {
        let owner = try FileTree.status(folder)?.owner ?? FileTree.status(folder.removingLastComponent())?.owner
        guard let owner, owner.user != 0, MysqldUser.isRoot else { return nil }
        return owner
    }

    private struct RestoreReport: Encodable {
        var backup: String
        var folder: String
        var position: String
    }
}
