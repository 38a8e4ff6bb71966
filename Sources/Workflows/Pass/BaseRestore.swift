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
    let context: PassContext
    let known: KnownBackups
    let mysqld: any TabletServer
    /// Its folder.
    let claim: TabletClaim

    /// What the pass goes on from.
    struct Base: Sendable {
        var name: String
        var manifest: Manifest
        /// An earlier pass could not catch up from it.
        var hasFailedBefore: Bool
    }

    var shard: ShardPath { context.shard }
    private var logger: Logger { context.logger }
    private static let positionLimit = Duration.seconds(60)

    /// Chooses, unpacks and checks.
    /// - Parameter others: backups that are not to be chosen.
    /// - Returns: what was restored.
    /// - Throws: ``WorkflowError``; the tablet's folder is in an unknown state then.
    func run(but others: Set<String> = []) async throws -> Base {
        logger.info("\(ContractLog.lookingForBackup)")
        let (position, purged) = try await primaryPositions()
        var candidates = BaseCandidates(of: shard, purged: purged, logger: logger)
        var told: Set<String> = []
        while true {
            let choice = choose { !others.contains($0.name) && candidates.admits($0.name) }
            for reason in choice.skipped where told.insert(reason).inserted { logger.warning("\(reason)") }
            guard let base = choice.backup else {
                if candidates.resort() { continue }
                if let purged, !candidates.behind.isEmpty { throw allPurged(purged) }
                throw nothingUsable(choice.skipped + known.list.compactMap(\.objection).sorted())
            }
            guard candidates.consider(base) else { continue }
            if let position, let held = base.manifest?.position,
                let refusal = try await context.errant.refusal(of: held, what: "backup \(base.name)", primary: position)
            {
                reject(base.name, "\(refusal); HINT: see where they come from; --allow-errant-gtids takes them along")
                continue
            }
            do {
                return Base(
                    name: base.name,
                    manifest: try await restore(base.name),
                    hasFailedBefore: candidates.deferred.contains(base.name)
                )
            } catch {
                try Task.checkCancellation()
                // Of those that an earlier pass could not catch up from, too: better an attempt than none.
                guard Self.isOfTheBackup(error, mysqld.directory),
                    hasUsable(but: candidates.behind.union(others).union([base.name]))
                else { throw error }
                if VerificationRecord.isProof(error) { await noteDamage(base, error) }
                reject(base.name, "\(error)")
                try await emptyFolder()
            }
        }
    }

    private func choose(_ isAllowed: (ListedBackup) -> Bool) -> RestoreChoice {
        RestoreChoice(
            known.list.filter { $0.objection == nil && isAllowed($0) }.map(\.asBase),
            methods: context.restoreEngines.methods,
            directory: shard.description,
            runningVersion: mysqld.versionText
        )
    }

    /// Whether a base can be chosen.
    func hasUsable(but others: Set<String>) -> Bool { choose { !others.contains($0.name) }.backup != nil }

    /// For another base.
    func emptyFolder() async throws { try await context.threads.run { try claim.empty() } }

    /// One attempt: what it would have said is checked again at the end of the pass.
    private func primaryPositions() async throws -> (position: Position?, purged: Position?) {
        do {
            return try await withDeadline(Self.positionLimit, operation: "asking the primary for its position") {
                let primary = context.shardPrimary
                let tablet = try await primary.tablet()
                return (try await primary.position(of: tablet), await primary.purgedPosition(of: tablet))
            }
        } catch {
            try Task.checkCancellation()
            logger.warning(
                "cannot compare the backups with the primary before the restore, only after catching up: \(error)"
            )
            return (nil, nil)
        }
    }

    private func restore(_ name: String) async throws -> Manifest {
        logger.info("\(ContractLog.foundBackup(shard, name))")
        logger.info("\(ContractLog.restorePath(name))")
        let reader = try context.backups.storage.backup(name, of: shard)
        let state = try await step(.storage, "can't restore from backup") { try await reader.manifest() }
        guard case .complete(var manifest) = state else {
            throw WorkflowError(
                .storage,
                "can't restore from backup: \(shard)/\(name) has lost its MANIFEST since it was listed; HINT: another job may be pruning, run again"
            )
        }
        let meter = TransferMeter()
        try await context.progress.during(.restoreLastBackup, transfer: meter) { [manifest] in
            try await step(.copy, "can't restore from backup") {
                try await BackupRestore(engines: context.restoreEngines)
                    .run(manifest, from: reader, into: .init(mysqld), meter: meter)
            }
        }
        logger.info("\(ContractLog.restoreComplete)")
        // The pass goes on for hours.
        manifest.builtin?.dropFiles()
        try await context.threads.run { Heap.giveBack() }
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

    private func reject(_ name: String, _ reason: String) {
        logger.error(
            "backup \(shard)/\(name) is listed as complete and CANNOT BE USED, falling back to an older one: \(reason)"
        )
        known.reject(name, because: reason)
    }

    /// Leaves word for later passes, which do not look at it again and would count it among those to keep.
    private func noteDamage(_ backup: ListedBackup, _ error: any Error) async {
        var record = VerificationRecord(
            result: .bad,
            time: context.clock.now(),
            seconds: 0,
            files: backup.fileCount ?? 0,
            bytes: backup.sizes?.raw ?? 0
        )
        record.reason = "\(error)"
        do {
            try await context.backups.leave(record, at: backup.name)
        } catch {
            logger.warning("cannot note that backup \(shard)/\(backup.name) is damaged: \(error)")
        }
    }

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
