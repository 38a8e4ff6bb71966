package import Catalog
package import Engines
package import FoundationEssentials
package import Logging
package import MySQLControl
import NIOCore
import Positions
package import Storage
import Streams
package import SystemPackage
package import Topology

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
        package var initSQLFile: FilePath?
        package var initQueries: InitQueries?
        /// Flag values that go into the manifest.
        package var compressionEngineName = "pargzip"
        package var compress = true
        package var manifestExternalDecompressor = ""
        /// Asked when the manifest is written: it may take as long as the resolver does.
        package var hostname: @Sendable () async -> String = { "" }

        /// Creates settings with the defaults of the flags.
        package init(shard: ShardPath, alias: TabletAlias) {
            (self.shard, self.alias) = (shard, alias)
        }
    }

    private let settings: Settings
    private let storage: any BackupStorage
    private let topology: ShardTopology
    private let primary: any PrimaryTablet
    private let source: ReplicationSource
    private let makeServer: @Sendable () async throws -> Mysqld
    private let backupEngine: BuiltinBackup
    private let restoreEngine: BuiltinRestore
    private let progress: PassProgress
    private let now: @Sendable () -> Date
    private let logger: Logger

    /// Assembles a pass.
    /// - Parameters:
    ///   - settings: what the flags say.
    ///   - storage: holds the shard's backups.
    ///   - topology: where the primary is looked up.
    ///   - primary: answers for its position.
    ///   - source: user, password and TLS of replication; host and port are taken from the topology.
    ///   - makeServer: looks for mysqld and describes our server; called only when a backup is due.
    ///   - backupEngine: takes the new backup.
    ///   - restoreEngine: brings the base backup back.
    ///   - progress: told what the pass is doing.
    ///   - now: the clock.
    ///   - logger: the pass's log.
    package init(
        settings: Settings,
        storage: any BackupStorage,
        topology: ShardTopology,
        primary: any PrimaryTablet,
        source: ReplicationSource,
        makeServer: @escaping @Sendable () async throws -> Mysqld,
        backupEngine: BuiltinBackup,
        restoreEngine: BuiltinRestore,
        progress: PassProgress,
        now: @escaping @Sendable () -> Date,
        logger: Logger
    ) {
        (self.settings, self.storage, self.topology, self.primary) = (settings, storage, topology, primary)
        (self.source, self.makeServer, self.backupEngine, self.restoreEngine) = (
            source, makeServer, backupEngine, restoreEngine
        )
        (self.progress, self.now, self.logger) = (progress, now, logger)
    }

    private var shard: ShardPath { settings.shard }
    private var backups: ShardBackups { ShardBackups(shard: shard, storage: storage) }

    /// Runs the pass.
    /// - Throws: ``WorkflowError``; whatever was started is stopped and removed then, and an unfinished backup is gone.
    package func run() async throws {
        let listed = try await step(.storage, "Can't take backup: can't list backups") { try await backups.load() }
        switch Freshness.decide(listed, policy: settings.freshness, now: now()) {
        case .skip(let reason): logger.info("\(reason)")
        case .refuse(let message): throw WorkflowError(.refused, "Can't take backup: \(message)")
        case .take(let reason):
            logger.info("Taking a backup of \(shard): \(reason)")
            if settings.freshness.initialBackup {
                try await step(.refused, "Can't take backup") { try await refuseIfServing() }
            }
            try await step(.mysqld, "Failed to take backup") { try await takeBackup(listed) }
        }
        try await progress.during(.prune) {
            try await step(.storage, "Couldn't prune old backups") {
                try await Pruning(backups: backups, policy: settings.retention, logger: logger).run(now: now())
            }
        }
    }

    // MARK: Taking a backup

    private func takeBackup(_ listed: [ListedBackup]) async throws {
        let mysqld = try await makeServer()
        // Ours alone from here on: what the cleanup removes was never another's.
        try mysqld.directory.claim(owner: mysqld.user.fileOwner)
        try await withCleanup {
            let prepared: PreparedServer
            if settings.freshness.initialBackup {
                prepared = try await progress.during(.initialBackup) { try await prepareEmpty(mysqld) }
            } else if listed.contains(where: { $0.manifest != nil }) {
                prepared = try await prepareFromBackup(listed, mysqld)
            } else {
                prepared = try await prepareFirst(mysqld)
            }
            try await copy(prepared, mysqld)
            logger.info(
                "\(settings.freshness.initialBackup ? ContractLog.initialBackupSuccessful : ContractLog.backupSuccessful)"
            )
        } cleanup: {
            logger.info("\(ContractLog.removingFolder(mysqld.directory.path.string))")
            do {
                try mysqld.directory.remove()
            } catch {
                logger.warning("Failed to remove temporary tablet directory: \(error)")
            }
        }
    }

    private func copy(_ prepared: PreparedServer, _ mysqld: Mysqld) async throws {
        let name = try BackupName(time: prepared.backupTime, alias: settings.alias).description
        logger.info("\(ContractLog.startingBackup(name))")
        logger.info("\(ContractLog.usingEngine("builtin"))")
        logger.info("\(ContractLog.usingPosition(prepared.position))")
        let writer = try await step(.storage, "error taking backup: StartBackup failed") {
            try await storage.startBackup(name, of: shard)
        }
        let meter = TransferMeter()
        do {
            try await progress.during(.takeNewBackup, transfer: meter) {
                let entries = try await step(.copy, "error taking backup") {
                    try await backupEngine.copyFiles(of: mysqld.directory, to: writer, meter: meter)
                }
                let manifest = manifest(prepared, name: name, hostname: await settings.hostname(), entries: entries)
                try await step(.storage, "error taking backup: cannot commit backup \(shard)/\(name)") {
                    let bytes = manifest.encoded()
                    // What cannot be read again must not become the commit record.
                    _ = try Manifest(decoding: bytes)
                    try await writer.commit(manifest: ByteBuffer(bytes: bytes))
                }
            }
        } catch {
            logger.error("\(ContractLog.notUsable)")
            do {
                try await shielded { try await writer.abort() }
            } catch let abortError {
                logger.error("failed to finish backup: cannot remove unfinished backup \(shard)/\(name): \(abortError)")
            }
            throw error
        }
    }

    private func manifest(
        _ prepared: PreparedServer,
        name: String,
        hostname: String,
        entries: [FileEntry]
    ) -> Manifest {
        var manifest = Manifest()
        manifest.backupName = name
        manifest.position = prepared.position
        manifest.purgedPosition = prepared.purgedPosition
        manifest.backupTime = prepared.backupTime
        manifest.finishedTime = now()
        manifest.serverUUID = prepared.serverUUID
        manifest.tabletAlias = settings.alias.description
        manifest.hostname = hostname
        (manifest.keyspace, manifest.shard) = (shard.keyspace, shard.shard)
        manifest.mysqlVersion = prepared.versionText
        manifest.upgradeSafe = settings.upgradeSafe
        var builtin = Manifest.Builtin()
        builtin.compressionEngine = settings.compressionEngineName
        builtin.files = entries
        builtin.skipCompress = !settings.compress
        builtin.externalDecompressor = settings.manifestExternalDecompressor
        manifest.builtin = builtin
        return manifest
    }

    // MARK: Initial backup

    /// An empty backup must not become the newest one of a shard that has data.
    private func refuseIfServing() async throws {
        let tablets: [TabletRecord]
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
        if let serving = tablets.first(where: { $0.kind.isServing }) {
            throw WorkflowError(
                .refused,
                "refusing to upload initial backup of empty database: the shard \(shard) already has at least one tablet that may be serving (\(serving.alias)); you must take a backup from a live tablet instead"
            )
        }
    }

    private func prepareEmpty(_ mysqld: Mysqld) async throws -> PreparedServer {
        try await step(.mysqld, "failed to initialize mysql data dir and start mysqld") {
            try await mysqld.initialize(initSQLFile: settings.initSQLFile) { server in
                try await step(.mysqld, "can't reset replication") { try await server.resetReplication() }
                let wasReadOnly = try await step(.mysqld, "failed to disable super_read_only during backup") {
                    try await server.setSuperReadOnly(false)
                }
                // One transaction, so that the position of the backup is not empty.
                try await server.execute(["create database if not exists _vt"])
                if wasReadOnly { try await server.setSuperReadOnly(true) }
                return try await finishPreparing(server)
            }
        }
    }

    // MARK: With and without a base

    private func prepareFirst(_ mysqld: Mysqld) async throws -> PreparedServer {
        logger.info("no backup to restore on BackupStorage for directory \(shard). Starting up empty.")
        return try await step(.mysqld, "failed to initialize mysql data dir and start mysqld") {
            let first = try await mysqld.initialize(initSQLFile: settings.initSQLFile) { server in
                try await step(.mysqld, "error resetting replication: failed to reset replication") {
                    try await server.resetReplication()
                }
                return try await catchUpAndFinish(server)
            }
            return try await restartIfAsked(mysqld, first)
        }
    }

    private func prepareFromBackup(_ listed: [ListedBackup], _ mysqld: Mysqld) async throws -> PreparedServer {
        let manifest = try await restoreBase(listed, mysqld)
        let first = try await mysqld.withServer { server in
            try await step(.mysqld, "error resetting replication") { try await resetReplication(server, to: manifest) }
            return try await catchUpAndFinish(server)
        }
        return try await restartIfAsked(mysqld, first)
    }

    private func restoreBase(_ listed: [ListedBackup], _ mysqld: Mysqld) async throws -> Manifest {
        logger.info("\(ContractLog.lookingForBackup)")
        let choice = RestoreChoice(
            listed,
            directory: shard.description,
            runningVersion: mysqld.installation.versionText
        )
        for reason in choice.skipped { logger.warning("\(reason)") }
        guard let base = choice.backup else {
            throw WorkflowError(
                .refused,
                "can't restore from backup: backup(s) found but none are complete\(choice.skipped.isEmpty ? "" : " and usable here: " + choice.skipped.joined(separator: "; "))"
            )
        }
        logger.info("\(ContractLog.foundBackup(shard, base.name))")
        logger.info("\(ContractLog.restorePath(base.name))")
        let reader = try storage.backup(base.name, of: shard)
        let state = try await step(.storage, "can't restore from backup") { try await reader.manifest() }
        guard case .complete(let manifest) = state else {
            throw WorkflowError(
                .storage,
                "can't restore from backup: \(shard)/\(base.name) has lost its MANIFEST since it was listed; HINT: another job may be pruning, run again"
            )
        }
        let meter = TransferMeter()
        try await progress.during(.restoreLastBackup, transfer: meter) {
            try await step(.copy, "can't restore from backup") {
                try mysqld.directory.prepareForRestore(owner: mysqld.user.fileOwner)
                try await mysqld.writeConfiguration()
                try await restoreEngine.restoreFiles(manifest, from: reader, to: mysqld.directory, meter: meter)
                try mysqld.directory.finishRestore()
            }
        }
        logger.info("\(ContractLog.restoreComplete)")
        return manifest
    }

    private func resetReplication(_ server: RunningMysqld, to manifest: Manifest) async throws {
        _ = try await mysqldHook(server)
        try await server.forgetSource()
        guard let position = manifest.position, !position.isEmpty else { return try await server.resetReplication() }
        let (executed, purged) = (try await server.executedPosition(), try await server.purgedPosition())
        if executed != position || purged != position {
            logger.info("\(ContractLog.settingPurged(position))")
            try await server.setPosition(position)
        }
    }

    private func mysqldHook(_ server: RunningMysqld) async throws -> Hooks.Output? {
        try await server.mysqld.hooks.run("preflight_stop_slave")
    }

    private func catchUpAndFinish(_ server: RunningMysqld) async throws -> PreparedServer {
        let redoLogIsOff = settings.disableRedoLog ? await disableRedoLog(server) : false
        let catchUp = CatchUp(
            shard: shard,
            topology: topology,
            primary: primary,
            source: source,
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
        return try await finishPreparing(server)
    }

    private func disableRedoLog(_ server: RunningMysqld) async -> Bool {
        do {
            try await server.setRedoLog(enabled: false)
            return true
        } catch {
            logger.warning("Error disabling redo logging: \(error)")
            return false
        }
    }

    /// The last statements before the server stops for good.
    private func finishPreparing(_ server: RunningMysqld) async throws -> PreparedServer {
        let prepared = try await PreparedServer(reading: server, now: now())
        if settings.upgradeSafe {
            try await step(.mysqld, "failed to disable fast shutdown") { try await server.requestSlowShutdown() }
        }
        return prepared
    }

    private func restartIfAsked(_ mysqld: Mysqld, _ prepared: PreparedServer) async throws -> PreparedServer {
        guard settings.restartBeforeBackup else { return prepared }
        return try await step(.mysqld, "Could not start MySQL after full shutdown") {
            try await mysqld.withServer { server in
                // The time stays that of the data; everything else is read again.
                var again = try await finishPreparing(server)
                again.backupTime = prepared.backupTime
                return again
            }
        }
    }
}
