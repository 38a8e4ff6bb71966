package import Catalog
package import Engines
package import Host
package import Logging
import MySQLControl
import Storage
package import SystemPackage
import Vocabulary

/// Unpacks a backup into a folder laid out as a tablet's, checks it, and starts nothing.
package struct RestoreToFolder: Sendable {
    private let backups: ShardBackups
    private let engines: RestoreEngines
    private let owner: FileOwner?
    private let logger: Logger

    /// Restores backups of one shard.
    /// - Parameters:
    ///   - backups: of the shard.
    ///   - engines: those that can be restored.
    ///   - owner: whose the files will be; `nil`: ours.
    ///   - logger: says what is done.
    package init(backups: ShardBackups, engines: RestoreEngines, owner: FileOwner?, logger: Logger) {
        (self.backups, self.engines, self.owner, self.logger) = (backups, engines, owner, logger)
    }

    /// Restores `name`, or the newest complete full backup.
    ///
    /// The marker `restore_in_progress` stands in the folder until everything has been checked.
    /// - Returns: the manifest of what was restored.
    /// - Throws: ``WorkflowError``.
    package func run(name: String?, into folder: FilePath, progress: PassProgress) async throws -> Manifest {
        let chosen = try await choose(name)
        let reader = try backups.storage.backup(chosen, of: backups.shard)
        guard case .complete(let manifest) = try await reader.manifest() else {
            throw WorkflowError(
                .storage,
                "backup \(backups.shard)/\(chosen) is not complete any more; HINT: list the backups again"
            )
        }
        if let names = try FileTree.list(folder), !names.isEmpty {
            throw WorkflowError(
                .refused,
                "cannot restore into \(folder): it is not empty; HINT: give a folder that is empty or does not exist"
            )
        }
        logger.info("Restore: unpacking \(backups.shard)/\(chosen) into \(folder)")
        let target = BackupRestore.Target(directory: TabletDirectory(path: folder, uid: 0), owner: owner)
        let meter = TransferMeter()
        try await progress.during(.restoreLastBackup, transfer: meter) {
            try await step(.copy, "can't restore from backup") {
                try await BackupRestore(engines: engines).run(manifest, from: reader, into: target, meter: meter)
            }
        }
        logger.info("\(ContractLog.restoreComplete)")
        return manifest
    }

    private func choose(_ name: String?) async throws -> String {
        let listed = try await step(.storage, "can't list backups") { try await backups.load() }
        if let name {
            guard let backup = listed.first(where: { $0.name == name }) else {
                throw WorkflowError(
                    .refused,
                    "there is no backup \(PrintableText.excerpt(name)) in \(backups.shard); HINT: see --list-backups"
                )
            }
            switch backup.stored {
            // An operator may have a name of his own for a copy.
            case .complete, .foreign: return name
            case .incomplete(let problem):
                throw WorkflowError(
                    .refused,
                    "backup \(backups.shard)/\(name) is incomplete and cannot be restored: \(problem)"
                )
            case .unreadable(let problem):
                throw WorkflowError(
                    .refused,
                    "backup \(backups.shard)/\(name) is unreadable and cannot be restored: \(problem)"
                )
            }
        }
        let choice = RestoreChoice(
            listed.filter { $0.objection == nil }.map(\.asBase),
            methods: engines.methodsIntoFolders,
            directory: backups.shard.description,
            runningVersion: nil
        )
        // Whatever is newer and is not taken must not be missed silently.
        for reason in choice.skipped { logger.warning("\(reason)") }
        let chosen = choice.backup?.name
        for backup in listed where backup.name > chosen ?? "" {
            guard let objection = backup.objection else { continue }
            logger.error(
                "backup \(backups.shard)/\(backup.name) is listed as complete and CANNOT BE USED, falling back to an older one: \(objection); HINT: name it to restore it all the same"
            )
        }
        if let chosen { return chosen }
        throw WorkflowError(
            .refused,
            listed.isEmpty ? "no backup to restore in \(backups.shard)" : "backup(s) found but none are complete"
        )
    }
}
