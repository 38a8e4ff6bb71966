import Catalog
import Concurrency
import FoundationEssentials
import Logging
import MySQLControl
import Storage
import SystemPackage
import Vocabulary

/// What passes left that did not come to their end: only what is surely ours, and surely abandoned.
struct Leftovers: Sendable {
    let known: KnownBackups
    let clock: Clocks
    let logger: Logger

    /// After the end of its lease, a process that was cut off may need so long to notice.
    private static let patience = 600.0

    private var backups: ShardBackups { known.backups }
    private var shard: ShardPath { backups.shard }

    // MARK: In storage

    /// Removes unfinished backups whose makers have been dead for ten minutes.
    /// - Throws: `CancellationError`; what cannot be removed is said and left for the next pass.
    func removeUnfinished(as holder: LeaseHolder) async throws {
        for backup in known.list {
            do {
                if case .incomplete = backup.stored, let record = try await abandonedMark(of: backup.name, holder) {
                    logger.warning(
                        "Removing unfinished backup \(shard)/\(backup.name): \(record.holder.description) left it and was last seen at \(BackupTimestamp.rfc3339(record.renewed))"
                    )
                    try await backups.storage.removeBackup(backup.name, of: shard)
                    known.forget(backup.name)
                }
            } catch {
                try Task.checkCancellation()
                logger.warning("cannot remove unfinished backup \(shard)/\(backup.name), which a pass left: \(error)")
            }
        }
    }

    private func abandonedMark(of name: String, _ holder: LeaseHolder) async throws -> LeaseRecord? {
        guard let note = try await backups.storage.note(at: Note.Place(.lease, of: shard, backup: name)),
            let record = LeaseRecord(note.bytes)
        else { return nil }
        let end = record.holder.isDead(seenFrom: holder) ? record.renewed : record.expiry
        guard clock.now().timeIntervalSince(end) > Self.patience else { return nil }
        // A MANIFEST that is there, readable or not, makes it somebody's decision.
        do {
            _ = try await backups.storage.backup(name, of: shard).read(.manifest, limit: 1)
            return nil
        } catch let error as StorageError {
            return error.code == .notFound ? record : nil
        }
    }

    // MARK: On this machine

    /// Removes tablet folders of passes that are gone; what cannot be removed is said and left.
    func removeFolders(in root: FilePath) {
        do {
            for claim in try TabletClaim.abandoned(in: root) {
                do {
                    if let process = try claim.runningServer() {
                        logger.warning(
                            "\(claim.directory.path) was left by a pass that is gone, but mysqld (process \(process)) still runs on it; HINT: stop it, the next pass then removes the folder"
                        )
                        claim.leave()
                    } else {
                        logger.warning("Removing tablet folder \(claim.directory.path), left by a pass that is gone")
                        try claim.remove()
                    }
                } catch {
                    logger.warning("cannot remove \(claim.directory.path), left by a pass that is gone: \(error)")
                    claim.leave()
                }
            }
        } catch {
            logger.warning("cannot look for folders that earlier passes left in \(root): \(error)")
        }
    }
}
