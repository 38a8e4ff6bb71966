import Catalog
import Concurrency
import Engines
import Host
import Logging
import MySQLControl
import Positions
import Storage
import SystemPackage
import Vocabulary

/// Brings the newest backup back that can be used, as the base of a pass.
///
/// One that is damaged, or holds transactions which the primary does not have, is passed over for an older one, and said so
/// loudly: a shard whose newest backup is bad gets a new good one out of the same pass.
struct BaseRestore: Sendable {
    let backups: ShardBackups
    let engine: BuiltinRestore
    let errant: ErrantTransactions
    let progress: PassProgress
    let logger: Logger

    /// What the pass goes on from.
    struct Base: Sendable {
        var name: String
        var manifest: Manifest
        /// An earlier pass could not catch up from it.
        var hasFailedBefore: Bool
        /// Complete backups that are no good, with the reason.
        var rejected: [String: String]
    }

    private var shard: ShardPath { backups.shard }
    private static let positionLimit = Duration.seconds(60)

    /// Chooses, unpacks and checks.
    /// - Parameters:
    ///   - listed: the shard's backups, oldest first.
    ///   - mysqld: will run on it.
    ///   - claim: its folder.
    ///   - earlier: complete backups that are no good, as this pass has found out before.
    /// - Returns: what was restored.
    /// - Throws: ``WorkflowError``; the tablet's folder is in an unknown state then.
    func run(
        _ listed: [ListedBackup],
        on mysqld: any TabletServer,
        claim: TabletClaim,
        known earlier: [String: String] = [:]
    ) async throws -> Base {
        logger.info("\(ContractLog.lookingForBackup)")
        let (known, purged) = try await primaryPositions()
        var candidates = BaseCandidates(backups: backups, purged: purged, logger: logger)
        var (rejected, told): ([String: String], Set<String>) = (earlier, [])
        while true {
            let choice = RestoreChoice(
                listed.filter { rejected[$0.name] == nil && candidates.admits($0.name) },
                directory: shard.description,
                runningVersion: mysqld.versionText
            )
            for reason in choice.skipped where told.insert(reason).inserted { logger.warning("\(reason)") }
            guard let base = choice.backup else {
                if candidates.resort() { continue }
                if let purged, !candidates.behind.isEmpty { throw allPurged(purged) }
                throw nothingUsable(choice.skipped + rejected.values.sorted())
            }
            guard await candidates.consider(base.name, base.manifest?.position) else { continue }
            if let position = base.manifest?.position, let known,
                let refusal = try await errant.refusal(of: position, what: "backup \(base.name)", primary: known)
            {
                reject(
                    base.name,
                    "\(refusal); HINT: see where they come from; --allow-errant-gtids takes them along",
                    &rejected
                )
                continue
            }
            if let reason = await backups.proofAgainst(base.name, logger) {
                reject(base.name, reason, &rejected)
                continue
            }
            do {
                return Base(
                    name: base.name,
                    manifest: try await restore(base.name, on: mysqld),
                    hasFailedBefore: candidates.deferred.contains(base.name),
                    rejected: rejected
                )
            } catch {
                try Task.checkCancellation()
                // Of those that an earlier pass could not catch up from, too: better an attempt than none.
                let others = listed.filter { $0.name != base.name && !candidates.behind.contains($0.name) }
                guard Self.isOfTheBackup(error, mysqld.directory),
                    await hasUsable(others, but: rejected, on: mysqld)
                else { throw error }
                if VerificationRecord.isProof(error) { await noteDamage(base, error) }
                reject(base.name, "\(error)", &rejected)
                try await engine.dataPlane.threads.run { try claim.empty() }
            }
        }
    }

    /// One attempt: what it would have said is checked again at the end of the pass.
    private func primaryPositions() async throws -> (position: Position?, purged: Position?) {
        do {
            return try await withDeadline(Self.positionLimit, operation: "asking the primary for its position") {
                let tablet = try await errant.primary.tablet()
                let position = try await errant.primary.position(of: tablet)
                return (position, await errant.primary.purgedPosition(of: tablet))
            }
        } catch {
            try Task.checkCancellation()
            logger.warning(
                "cannot compare the backups with the primary before the restore, only after catching up: \(error)"
            )
            return (nil, nil)
        }
    }

    private func restore(_ name: String, on mysqld: any TabletServer) async throws -> Manifest {
        logger.info("\(ContractLog.foundBackup(shard, name))")
        logger.info("\(ContractLog.restorePath(name))")
        let reader = try backups.storage.backup(name, of: shard)
        let state = try await step(.storage, "can't restore from backup") { try await reader.manifest() }
        guard case .complete(var manifest) = state else {
            throw WorkflowError(
                .storage,
                "can't restore from backup: \(shard)/\(name) has lost its MANIFEST since it was listed; HINT: another job may be pruning, run again"
            )
        }
        let meter = TransferMeter()
        try await progress.during(.restoreLastBackup, transfer: meter) { [manifest] in
            try await step(.copy, "can't restore from backup") {
                try await engine.checkSpace(manifest, from: reader, to: mysqld.directory)
                try mysqld.directory.prepareForRestore(owner: mysqld.fileOwner)
                try await mysqld.writeConfiguration()
                try await explainingFullDisk {
                    "restoring \(name) needs \(manifest.builtin?.totalSizes.map { "\($0.raw) bytes" } ?? "more") there"
                } _: {
                    try await engine.restoreFiles(manifest, from: reader, to: mysqld.directory, meter: meter)
                }
                try mysqld.directory.finishRestore()
            }
        }
        logger.info("\(ContractLog.restoreComplete)")
        // The pass goes on for hours.
        manifest.builtin?.dropFiles()
        try await engine.dataPlane.threads.run { Heap.giveBack() }
        return manifest
    }

    // MARK: Falling back

    /// Whether the backup or its storage is to blame, and not our own disk or my.cnf.
    static func isOfTheBackup(_ error: any Error, _ directory: TabletDirectory) -> Bool {
        var isOfBackup = false
        for cause in causes(of: error) {
            if let file = cause as? FileError {
                if file.path.starts(with: directory.path) || file.isOfThisMachine { return false }
            }
            if cause is MysqldError || (cause as? EngineError)?.code == .noSpace { return false }
            if cause is EngineError || cause is StorageError { isOfBackup = true }
            if (cause as? WorkflowError)?.code == .storage { isOfBackup = true }
        }
        return isOfBackup
    }

    /// Whether a base can be chosen among `listed`.
    func hasUsable(
        _ listed: [ListedBackup],
        but rejected: [String: String],
        on mysqld: any TabletServer
    ) async -> Bool {
        var others: [ListedBackup] = []
        for backup in listed where rejected[backup.name] == nil {
            if await backups.proofAgainst(backup.name, logger) == nil { others.append(backup) }
        }
        return RestoreChoice(others, directory: "", runningVersion: mysqld.versionText).backup != nil
    }

    private func reject(_ name: String, _ reason: String, _ rejected: inout [String: String]) {
        logger.error(
            "backup \(shard)/\(name) is listed as complete and CANNOT BE USED, falling back to an older one: \(reason)"
        )
        rejected[name] = reason
    }

    /// Leaves word for later passes, which do not look at it again and would count it among those to keep.
    private func noteDamage(_ backup: ListedBackup, _ error: any Error) async {
        var record = VerificationRecord(
            result: .bad,
            time: clock.now(),
            seconds: 0,
            files: backup.fileCount ?? 0,
            bytes: backup.sizes?.raw ?? 0
        )
        record.reason = "\(error)"
        do {
            try await backups.leave(record, at: backup.name)
        } catch {
            logger.warning("cannot note that backup \(shard)/\(backup.name) is damaged: \(error)")
        }
    }

    var clock: Clocks { errant.primary.clock }

    private func allPurged(_ purged: Position) -> WorkflowError {
        WorkflowError(
            .refused,
            "can't restore from backup: the primary no longer has the binary logs since the backup, whichever of \(shard) is taken: it has purged them up to \(purged), and nothing was restored; HINT: back up a replica, which has everything (vtctldclient Backup): passes go on from that one; keep binary logs longer than it takes from one backup to the next; --allow-first-backup helps only without these backups and where the primary has purged nothing"
        )
    }

    private func nothingUsable(_ reasons: [String]) -> WorkflowError {
        WorkflowError(
            .refused,
            "can't restore from backup: backup(s) found but none are complete\(reasons.isEmpty ? "" : " and usable here: " + reasons.joined(separator: "; "))"
        )
    }
}
