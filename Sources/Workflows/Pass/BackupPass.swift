package import Catalog
package import Concurrency
package import Engines
package import Logging
package import MySQLControl
import NIOCore
import Positions
package import Storage
package import SystemPackage
package import Topology
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

    /// For what must be undone when a pass fails.
    private static let cleanupLimit = Duration.seconds(60)

    private let settings: Settings
    private let storage: any BackupStorage
    private let lease: ShardLease?
    private let topology: ShardTopology
    private let primary: any PrimaryTablet
    private let access: (any ReplicationAccess)?
    private let source: ReplicationSource
    private let makeServer: @Sendable () async throws -> any TabletServer
    private let backupEngine: BuiltinBackup
    private let restoreEngine: BuiltinRestore
    private let progress: PassProgress
    private let clock: Clocks
    private let logger: Logger

    /// Assembles a pass.
    /// - Parameters:
    ///   - settings: what the flags say.
    ///   - storage: holds the shard's backups.
    ///   - lease: keeps other passes out; `nil`: nothing does.
    ///   - topology: where the primary is looked up.
    ///   - primary: answers for its position.
    ///   - access: answers whether it lets us replicate; `nil`: that shows when catching up.
    ///   - source: user, password and TLS of replication; host and port are taken from the topology.
    ///   - makeServer: looks for mysqld and describes our server; called only when a backup is due.
    ///   - backupEngine: takes the new backup.
    ///   - restoreEngine: brings the base backup back.
    ///   - progress: told what the pass is doing.
    ///   - clock: the time.
    ///   - logger: the pass's log.
    package init(
        settings: Settings,
        storage: any BackupStorage,
        lease: ShardLease?,
        topology: ShardTopology,
        primary: any PrimaryTablet,
        access: (any ReplicationAccess)? = nil,
        source: ReplicationSource,
        makeServer: @escaping @Sendable () async throws -> any TabletServer,
        backupEngine: BuiltinBackup,
        restoreEngine: BuiltinRestore,
        progress: PassProgress,
        clock: Clocks,
        logger: Logger
    ) {
        (self.settings, self.storage, self.lease, self.topology) = (settings, storage, lease, topology)
        (self.primary, self.access) = (primary, access)
        (self.source, self.makeServer, self.backupEngine, self.restoreEngine) = (
            source, makeServer, backupEngine, restoreEngine
        )
        (self.progress, self.clock, self.logger) = (progress, clock, logger)
    }

    private var shard: ShardPath { settings.shard }
    private var threads: BlockingThreads { backupEngine.dataPlane.threads }
    private var backups: ShardBackups { ShardBackups(shard: shard, storage: storage) }

    /// Runs the pass.
    /// - Throws: ``WorkflowError``; whatever was started is stopped and removed then, and an unfinished backup is gone.
    package func run() async throws {
        let listed = try await load()
        // With nothing to do nobody is kept from working.
        if case .skip(let reason) = decide(listed), pruning.plan(listed, now: clock.now()).removals.isEmpty {
            logger.info("\(reason)")
            return try await prune()
        }
        guard let lease else { return try await run(listed, held: nil) }
        try await lease.hold { held in
            // What another pass did until then counts.
            try await run(try await load(reusing: listed), held: held)
        }
    }

    private func load(reusing known: [ListedBackup] = []) async throws -> [ListedBackup] {
        try await step(.storage, "Can't take backup: can't list backups") {
            var listed = try await backups.load(reusing: known)
            // A backup that did not verify is no fresh one.
            while let name = Freshness.newest(of: listed, now: clock.now())?.name,
                let newest = listed.firstIndex(where: { $0.name == name })
            {
                guard let reason = try await backups.verification(of: name)?.refusal else { break }
                logger.error("backup \(shard)/\(name) CANNOT BE USED: \(reason)")
                listed[newest] = ListedBackup(name: name, state: .incomplete(reason))
            }
            return listed
        }
    }

    private func decide(_ listed: [ListedBackup]) -> Freshness {
        Freshness.decide(listed, policy: settings.freshness, now: clock.now())
    }

    private func run(_ listed: [ListedBackup], held: HeldLease?) async throws {
        for backup in listed where backup.isUnreadable {
            logger.error("backup \(shard)/\(backup.name) cannot be read: \(backup.problem ?? "")")
        }
        for warning in listed.compactMap({ $0.warning(clock.now()) }) { logger.warning("\(shard): \(warning)") }
        var (rejected, taken): ([String: String], String?) = ([:], nil)
        switch decide(listed) {
        case .skip(let reason): logger.info("\(reason)")
        case .refuse(let message): throw WorkflowError(.refused, "Can't take backup: \(message)")
        case .take(let reason):
            logger.info("Taking a backup of \(shard): \(reason)")
            if settings.freshness.initialBackup {
                try await step(.refused, "Can't take backup") { try await refuseIfServing() }
            }
            (rejected, taken) = try await step(.mysqld, "Failed to take backup") { try await takeBackup(listed, held) }
        }
        try await prune(rejected, taken)
    }

    private var pruning: Pruning { Pruning(backups: backups, policy: settings.retention, logger: logger) }

    private func prune(_ rejected: [String: String] = [:], _ taken: String? = nil) async throws {
        try await progress.during(.prune) {
            try await step(.storage, "Couldn't prune old backups") {
                try await pruning.run(now: clock.now(), rejected: rejected, taken: taken)
            }
        }
    }

    // MARK: Taking a backup

    /// - Returns: complete backups that were found to be no good, with the reason, and the new one.
    private func takeBackup(
        _ listed: [ListedBackup],
        _ held: HeldLease?
    ) async throws -> (rejected: [String: String], taken: String?) {
        // What nobody can read must be known before the hours that a pass may take.
        try await step(.refused, "not taking backup") { try await backupEngine.checkCompressor() }
        let mysqld = try await makeServer()
        if !settings.freshness.initialBackup {
            try await PrimaryCheck(primary: shardPrimary, access: access, logger: logger).run()
        }
        let leftovers = Leftovers(backups: backups, clock: clock, logger: logger)
        let root = mysqld.directory.path.removingLastComponent()
        try await threads.run { leftovers.removeFolders(in: root) }
        var listed = listed
        if let held { listed = try await leftovers.removeUnfinished(listed, as: held.holder) }
        // Ours alone from here on: what the cleanup removes was never another's.
        let claim = try TabletClaim.make(mysqld.directory, owner: mysqld.fileOwner)
        let found = listed
        return try await withCleanup {
            let prepared = try await explainingFullDisk(at: mysqld.directory.path) {
                if settings.freshness.initialBackup {
                    return try await progress.during(.initialBackup) { try await prepareEmpty(mysqld) }
                }
                let isFirst = !found.contains { $0.manifest != nil }
                try await settingsCheck.runAhead(of: mysqld, isFirst: isFirst)
                return isFirst
                    ? try await prepareFirst(mysqld) : try await prepareFromBackup(found, mysqld, claim)
            }
            let name = try await copy(prepared, mysqld, held)
            if settings.verifiesAfter {
                let verification = Verification(
                    backups: backups,
                    engine: restoreEngine,
                    progress: progress,
                    clock: clock,
                    logger: logger
                )
                try await verification.run(name, of: prepared, on: mysqld, claim)
            }
            logger.info(
                "\(settings.freshness.initialBackup ? ContractLog.initialBackupSuccessful : ContractLog.backupSuccessful)"
            )
            return (prepared.rejectedBackups, name)
        } cleanup: {
            logger.info("\(ContractLog.removingFolder(mysqld.directory.path.string))")
            do {
                try await threads.run { try claim.remove() }
            } catch {
                logger.warning(
                    "Failed to remove temporary tablet directory: \(error); HINT: the next pass here removes it"
                )
            }
        }
    }

    private func copy(_ prepared: PreparedServer, _ mysqld: any TabletServer, _ held: HeldLease?) async throws -> String
    {
        let name = try BackupName(time: prepared.backupTime, alias: settings.alias).description
        logger.info("\(ContractLog.startingBackup(name))")
        logger.info("\(ContractLog.usingEngine("builtin"))")
        logger.info("\(ContractLog.usingPosition(prepared.position))")
        if prepared.position.hasTags {
            logger.warning(
                "the position of \(name) has tagged GTIDs in it, which Vitess cannot read: no tablet of Vitess restores this backup; HINT: see which clients set gtid_next = 'AUTOMATIC:<tag>'"
            )
        }
        let writer = try await step(.storage, "error taking backup: StartBackup failed") {
            try await storage.startBackup(name, of: shard)
        }
        let meter = TransferMeter()
        do {
            try await held?.mark(name)
            try await progress.during(.takeNewBackup, transfer: meter) {
                let builtin = try await step(.copy, "error taking backup") {
                    try await explainingFullDisk {
                        "the backup of \(meter.reading.totalBytes) bytes of files had got to \(meter.reading.bytes) of them"
                    } _: {
                        try await backupEngine.copyFiles(
                            of: mysqld.directory,
                            known: prepared.files,
                            to: writer,
                            meter: meter
                        )
                    }
                }
                try await step(.copy, "error taking backup") {
                    let reader = try storage.backup(name, of: shard)
                    try await backupEngine.readBack(builtin, of: mysqld.directory, from: reader)
                }
                try await refuseIfPoisonedMeanwhile(prepared)
                var manifest = Manifest(of: prepared, builtin)
                (manifest.backupName, manifest.finishedTime) = (name, clock.now())
                (manifest.tabletAlias, manifest.hostname) = (settings.alias.description, await settings.hostname())
                (manifest.keyspace, manifest.shard) = (shard.keyspace, shard.shard)
                try await step(.storage, "error taking backup: cannot commit backup \(shard)/\(name)") { [manifest] in
                    let bytes = try manifest.commitRecord()
                    try await held?.confirm()
                    try await writer.commit(manifest: bytes)
                    try held?.confirmStillHeld()
                }
            }
        } catch {
            logger.error("\(ContractLog.notUsable)")
            do {
                try await shielded {
                    // A renewal that hangs must not keep the backup from being removed.
                    try? await withDeadline(.seconds(10), operation: "ending its mark") {
                        try await held?.stopMarking()
                    }
                    try await withDeadline(Self.cleanupLimit, operation: "removing it") { try await writer.abort() }
                }
            } catch let abortError {
                logger.error("failed to finish backup: cannot remove unfinished backup \(shard)/\(name): \(abortError)")
            }
            throw error
        }
        await held?.unmark(name)
        return name
    }

    // MARK: Initial backup

    /// An empty backup must not become the newest one of a shard that has data.
    private func refuseIfServing() async throws {
        let tablets: ShardTablets
        do {
            tablets = try await topology.tablets(of: shard)
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

    private func prepareEmpty(_ mysqld: any TabletServer) async throws -> PreparedServer {
        try await step(.mysqld, "failed to initialize mysql data dir and start mysqld") {
            try await mysqld.initialize(initSQLFile: settings.initSQLFile) { server in
                try await step(.mysqld, "can't reset replication") { try await server.resetReplication() }
                let wasReadOnly = try await step(.mysqld, "failed to disable super_read_only during backup") {
                    try await server.setSuperReadOnly(false)
                }
                // One transaction, so that the position of the backup is not empty.
                try await server.execute(["create database if not exists _vt"])
                if wasReadOnly { try await server.setSuperReadOnly(true) }
                return try await finishPreparing(server, mysqld)
            }
        }
    }

    // MARK: With and without a base

    private func prepareFirst(_ mysqld: any TabletServer) async throws -> PreparedServer {
        logger.info("no backup to restore on BackupStorage for directory \(shard). Starting up empty.")
        logger.warning(
            "a first backup holds what the primary's binary logs hold: what was made there with sql_log_bin = 0, or before the logs begin, is missing in it"
        )
        return try await step(.mysqld, "failed to initialize mysql data dir and start mysqld") {
            let first = try await mysqld.initialize(initSQLFile: settings.initSQLFile) { server in
                try await step(.mysqld, "error resetting replication: failed to reset replication") {
                    try await server.resetReplication()
                }
                return try await catchUpAndFinish(server, mysqld, isFirst: true)
            }
            return try await restartIfAsked(mysqld, first)
        }
    }

    private func prepareFromBackup(
        _ listed: [ListedBackup],
        _ mysqld: any TabletServer,
        _ claim: TabletClaim
    ) async throws -> PreparedServer {
        let restore = BaseRestore(
            backups: backups,
            engine: restoreEngine,
            errant: errant,
            progress: progress,
            logger: logger
        )
        let fallback = BaseFallback(restore: restore, logger: logger)
        let (first, rejected) = try await fallback.run(listed, on: mysqld, claim: claim) { base in
            try await settingsCheck.explainingStart(of: mysqld, on: base.backupName) {
                try await mysqld.withServer { server in
                    try await step(.mysqld, "error resetting replication") {
                        try await resetReplication(server, to: base)
                    }
                    return try await catchUpAndFinish(server, mysqld)
                }
            }
        }
        var prepared = try await restartIfAsked(mysqld, first)
        prepared.rejectedBackups = rejected
        return prepared
    }

    private func resetReplication(_ server: any ReplicaServer, to manifest: Manifest) async throws {
        try await server.forgetSource()
        guard let position = manifest.position, !position.isEmpty else { return try await server.resetReplication() }
        let (executed, purged) = (try await server.executedPosition(), try await server.purgedPosition())
        if executed != position || purged != position {
            logger.info("\(ContractLog.settingPurged(position))")
            try await server.setPosition(position)
        }
    }

    private func catchUpAndFinish(
        _ server: any ReplicaServer,
        _ mysqld: any TabletServer,
        isFirst: Bool = false
    ) async throws -> PreparedServer {
        let undoOfPrimary = try await settingsCheck.run(on: server, isFirst: isFirst)
        let redoLogIsOff = settings.disableRedoLog ? await disableRedoLog(server) : false
        let catchUp = CatchUp(
            primary: shardPrimary,
            errant: errant,
            source: source,
            disk: mysqld.directory.path,
            progress: progress,
            logger: logger
        )
        try await catchUp.run(on: server)
        if redoLogIsOff {
            try await step(.mysqld, "failed to re-enable redo log") { try await server.setRedoLog(enabled: true) }
        }
        if let queries = settings.initQueries { try await queries.run(on: server, logger: logger) }
        if settings.restartBeforeBackup {
            try await step(.mysqld, "Could not prep for full shutdown") { try await server.requestSlowShutdown() }
        }
        let prepared = try await finishPreparing(server, mysqld, undoOfPrimary: undoOfPrimary)
        // Asked after reading our own position: what it lacks then, it never had.
        let limits = CatchUp.Limits()
        let theirs = try await shardPrimary.position(
            within: limits.primaryUnreachable,
            refusedFor: limits.noProgress
        )
        if let refusal = try await errant.refusal(of: prepared.position, what: "the new backup", primary: theirs) {
            throw Self.poisoned(refusal)
        }
        return prepared
    }

    private static func poisoned(_ refusal: String) -> WorkflowError {
        WorkflowError(
            .refused,
            "not taking backup: \(refusal); HINT: whoever restores it could not become a primary; see where they come from, or give --allow-errant-gtids"
        )
    }

    /// A primary that took over while files were copied may lack what the old one had.
    private func refuseIfPoisonedMeanwhile(_ prepared: PreparedServer) async throws {
        guard !settings.freshness.initialBackup else { return }
        do {
            let refusal = try await withDeadline(.seconds(60), operation: "asking the primary for its position") {
                try await errant.refusal(of: prepared.position, what: "the new backup")
            }
            if let refusal { throw Self.poisoned(refusal) }
        } catch let error as WorkflowError where error.code == .refused {
            throw error
        } catch {
            try Task.checkCancellation()
            logger.warning("cannot compare the new backup with the primary once more before it is committed: \(error)")
        }
    }

    private var shardPrimary: ShardPrimary {
        ShardPrimary(shard: shard, topology: topology, tablets: primary, clock: clock, logger: logger)
    }

    private var settingsCheck: SettingsCheck { SettingsCheck(primary: shardPrimary, logger: logger) }

    private var errant: ErrantTransactions {
        ErrantTransactions(primary: shardPrimary, allowed: settings.allowErrantTransactions, logger: logger)
    }

    private func disableRedoLog(_ server: any ReplicaServer) async -> Bool {
        do {
            try await server.setRedoLog(enabled: false)
            return true
        } catch {
            logger.warning("Error disabling redo logging: \(error)")
            return false
        }
    }

    /// The last statements before the server stops for good.
    private func finishPreparing(
        _ server: any ReplicaServer,
        _ mysqld: any TabletServer,
        undoOfPrimary: FilePath? = nil
    ) async throws -> PreparedServer {
        try await step(.mysqld, "cannot make the server forget its source") { try await server.dropSource() }
        var prepared = try await PreparedServer(reading: server, now: clock.now(), undoOfPrimary: undoOfPrimary)
        let completeness = CompletenessCheck(
            allowed: settings.allowIncompleteTablespaces,
            threads: threads,
            logger: logger
        )
        prepared.files = try await completeness.run(on: server, mysqld.directory, prepared)
        if settings.upgradeSafe {
            try await step(.mysqld, "failed to disable fast shutdown") { try await server.requestSlowShutdown() }
            prepared.upgradeSafe = true
        }
        return prepared
    }

    private func restartIfAsked(_ mysqld: any TabletServer, _ prepared: PreparedServer) async throws -> PreparedServer {
        guard settings.restartBeforeBackup else { return prepared }
        return try await step(.mysqld, "Could not start MySQL after full shutdown") {
            try await mysqld.withServer { server in
                // The time stays that of the data; everything else is read again.
                var again = try await finishPreparing(server, mysqld, undoOfPrimary: prepared.undoOfPrimary)
                again.backupTime = prepared.backupTime
                return again
            }
        }
    }
}
