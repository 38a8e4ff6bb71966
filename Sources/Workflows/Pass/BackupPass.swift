package import Catalog
import Concurrency
import Engines
import FoundationEssentials
import Logging
import MySQLControl
package import SystemPackage
import Topology
package import Vocabulary

/// One pass of backup maintenance for a shard: decide, take a backup, prune.
package struct BackupPass: Sendable {
    /// What the command line decides.
    package struct Settings: Sendable {
        package var shard: ShardPath
        /// Our imaginary tablet: cell `vtbackup` and a random uid.
        package var alias: TabletAlias
        package var freshness = Freshness.Policy()
        package var retention = Retention.Policy()
        package var upgradeSafe = false
        package var restartBeforeBackup = false
        package var disableRedoLog = false
        /// `--allow-errant-gtids`.
        package var allowErrantTransactions = false
        /// `--verify-after`.
        package var verifiesAfter = false
        /// `--allow-incomplete-tablespaces`.
        package var allowIncompleteTablespaces = false
        package var initSQLFile: FilePath?
        package var initQueries: InitQueries?
        /// Asked when the manifest is written: it may take as long as the resolver does.
        package var hostname: @Sendable () async -> String = { "" }

        /// Creates settings with the defaults of the flags.
        package init(shard: ShardPath, alias: TabletAlias) {
            (self.shard, self.alias) = (shard, alias)
        }
    }

    private let context: PassContext
    private let known: KnownBackups

    /// Assembles a pass.
    package init(_ context: PassContext) {
        self.context = context
        known = KnownBackups(context.backups)
    }

    private var settings: Settings { context.settings }
    private var shard: ShardPath { context.shard }
    private var logger: Logger { context.logger }

    /// Runs the pass.
    /// - Throws: ``WorkflowError``; whatever was started is stopped and removed then, and an unfinished backup is gone.
    package func run() async throws {
        try await load()
        // With nothing to do nobody is kept from working.
        if case .skip(let reason) = decision, pruning.plan(known.list, now: context.clock.now()).removals.isEmpty {
            logger.info("\(reason)")
            return try await prune()
        }
        guard let lease = context.lease else { return try await run(holding: nil) }
        try await lease.hold { held in
            // What another pass did until then counts.
            try await load(again: true)
            try await run(holding: held)
        }
    }

    private func load(again: Bool = false) async throws {
        try await step(.storage, "Can't take backup: can't list backups") {
            try await known.refresh(rereadsNotes: again)
        }
        // Older ones have been told when they were the newest.
        let newest = Freshness.newest(of: known.list, now: context.clock.now())?.name ?? ""
        for backup in known.list where backup.name > newest {
            if let objection = backup.objection {
                logger.error("backup \(shard)/\(backup.name) CANNOT BE USED: \(objection)")
            }
        }
    }

    // MARK: Deciding

    private var decision: Freshness {
        Freshness.decide(known.list, policy: settings.freshness, now: context.clock.now())
    }

    private func run(holding held: HeldLease?) async throws {
        tell()
        var taken: String?
        switch decision {
        case .skip(let reason): logger.info("\(reason)")
        case .refuse(let message): throw WorkflowError(.refused, "Can't take backup: \(message)")
        case .take(let reason):
            logger.info("Taking a backup of \(shard): \(reason)")
            if settings.freshness.initialBackup {
                try await step(.refused, "Can't take backup") { try await refuseIfServing() }
            }
            taken = try await step(.mysqld, "Failed to take backup") { try await takeBackup(holding: held) }
        }
        try await prune(taken)
    }

    /// What an operator should know of the backups that there are.
    private func tell() {
        for backup in known.list {
            if backup.isUnreadable {
                logger.error("backup \(shard)/\(backup.name) cannot be read: \(backup.problem ?? "")")
            }
            if let warning = backup.warning(context.clock.now()) { logger.warning("\(shard): \(warning)") }
        }
    }

    /// An empty backup must not become the newest one of a shard that has data.
    private func refuseIfServing() async throws {
        let tablets: ShardTablets
        do {
            tablets = try await context.topology.tablets(of: shard)
        } catch let error as TopologyError where error.code == .noNode {
            return
        } catch {
            throw WorkflowError(
                .topology,
                "failed to check whether shard \(shard) has serving tablets before doing initial backup",
                cause: error
            )
        }
        if let serving = tablets.found.first(where: { $0.kind.isServing }) {
            throw WorkflowError(
                .refused,
                "refusing to upload initial backup of empty database: the shard \(shard) already has at least one tablet that may be serving (\(serving.alias)); you must take a backup from a live tablet instead"
            )
        }
        if let missing = tablets.missing {
            throw WorkflowError(
                .topology,
                "failed to check whether shard \(shard) has serving tablets before doing initial backup",
                cause: missing
            )
        }
    }

    // MARK: Taking a backup

    /// - Returns: the name of the new backup.
    private func takeBackup(holding held: HeldLease?) async throws -> String {
        // What nobody can read must be known before the hours that a pass may take.
        try await step(.refused, "not taking backup") { try await context.backupEngine.check() }
        let mysqld = try await context.makeServer()
        if !settings.freshness.initialBackup {
            try await PrimaryCheck(primary: context.shardPrimary, access: context.access, logger: logger).run()
        }
        let leftovers = Leftovers(known: known, clock: context.clock, logger: logger)
        let root = mysqld.directory.path.removingLastComponent()
        try await context.threads.run { leftovers.removeFolders(in: root) }
        if let held { try await leftovers.removeUnfinished(as: held.holder) }
        // Ours alone from here on: what the cleanup removes was never another's.
        let claim = try TabletClaim.make(mysqld.directory, owner: mysqld.fileOwner)
        return try await withCleanup {
            let preparation = ServerPreparation(context: context, known: known, mysqld: mysqld, claim: claim)
            let prepared = try await preparation.run()
            let name = try await NewBackup(context: context, lease: held).take(prepared, in: mysqld.directory)
            if settings.verifiesAfter {
                try await context.verification.run(name, of: prepared, on: mysqld, claim)
            }
            logger.info(
                "\(settings.freshness.initialBackup ? ContractLog.initialBackupSuccessful : ContractLog.backupSuccessful)"
            )
            return name
        } cleanup: {
            logger.info("\(ContractLog.removingFolder(mysqld.directory.path.string))")
            do {
                try await context.threads.run { try claim.remove() }
            } catch {
                logger.warning(
                    "Failed to remove temporary tablet directory: \(error); HINT: the next pass here removes it"
                )
            }
        }
    }

    // MARK: Pruning

    private var pruning: Pruning { Pruning(backups: context.backups, policy: settings.retention, logger: logger) }

    private func prune(_ taken: String? = nil) async throws {
        try await context.progress.during(.prune) {
            try await step(.storage, "Couldn't prune old backups") {
                try await pruning.run(known, now: context.clock.now(), taken: taken)
            }
        }
    }
}
