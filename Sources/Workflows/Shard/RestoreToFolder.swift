package import Catalog
package import Engines
import Host
package import Logging
import MySQLControl
import Storage
package import SystemPackage
import Vocabulary

/// Unpacks a backup into a folder laid out as a tablet's, checks it, and starts nothing.
package struct RestoreToFolder: Sendable {
    private let backups: ShardBackups
    private let engine: BuiltinRestore
    private let logger: Logger

    /// Restores backups of one shard.
    package init(backups: ShardBackups, engine: BuiltinRestore, logger: Logger) {
        (self.backups, self.engine, self.logger) = (backups, engine, logger)
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
        try await step(.refused, "cannot restore backup \(backups.shard)/\(chosen)") { try engine.check(manifest) }
        let directory = TabletDirectory(path: folder, uid: 0)
        try await step(.refused, "cannot restore into \(folder)") {
            try await engine.checkSpace(manifest, from: reader, to: directory)
        }
        try await step(.storage, "cannot restore into \(folder)") {
            try directory.prepareForRestore(owner: engine.owner)
        }
        logger.info("Restore: unpacking \(backups.shard)/\(chosen) into \(folder)")
        let meter = TransferMeter()
        try await progress.during(.restoreLastBackup, transfer: meter) {
            try await step(.copy, "can't restore from backup") {
                try await engine.restoreFiles(manifest, from: reader, to: directory, meter: meter)
                try directory.finishRestore()
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
            // An operator may have a name of his own for a copy.
            if !backup.isForeign, let problem = backup.problem {
                throw WorkflowError(
                    .refused,
                    "backup \(backups.shard)/\(name) is \(backup.isUnreadable ? "unreadable" : "incomplete") and cannot be restored: \(problem)"
                )
            }
            return name
        }
        for backup in ListedBackup.fullsByAge(listed).reversed() {
            guard backup.manifest?.method == "builtin" else {
                logger.warning(
                    "Skipping backup \(backups.shard)/\(backup.name), which was taken with the engine \(PrintableText.excerpt(backup.manifest?.method ?? "")): only builtin ones can be restored here"
                )
                continue
            }
            guard let reason = await backups.proofAgainst(backup.name, logger) else { return backup.name }
            logger.error(
                "backup \(backups.shard)/\(backup.name) is listed as complete and CANNOT BE USED, falling back to an older one: \(reason); HINT: name it to restore it all the same"
            )
        }
        throw WorkflowError(
            .refused,
            listed.isEmpty ? "no backup to restore in \(backups.shard)" : "backup(s) found but none are complete"
        )
    }
}
