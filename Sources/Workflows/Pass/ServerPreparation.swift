import Catalog
import Concurrency
import Engines
import Logging
import MySQLControl
import Positions
import SystemPackage
import Topology
import Vocabulary

/// Brings a server of ours to where its files can be copied: from a base or empty, caught up with the primary, checked,
/// stopped.
struct ServerPreparation: Sendable {
    let context: PassContext
    let known: KnownBackups
    let mysqld: any TabletServer
    /// Its folder.
    let claim: TabletClaim

    private var settings: BackupPass.Settings { context.settings }
    private var logger: Logger { context.logger }

    /// Prepares it as the policy and the shard's backups ask for.
    /// - Returns: what the manifest says of it.
    /// - Throws: ``WorkflowError``; the server is stopped then.
    func run() async throws -> PreparedServer {
        try await explainingFullDisk(at: mysqld.directory.path) {
            if settings.freshness.initialBackup {
                return try await context.progress.during(.initialBackup) { try await prepareEmpty() }
            }
            let isFirst = !known.list.contains { $0.manifest != nil }
            try await context.settingsCheck.runAhead(of: mysqld, isFirst: isFirst)
            return isFirst ? try await prepareFirst() : try await prepareFromBackup()
        }
    }

    // MARK: Without a base

    private func prepareEmpty() async throws -> PreparedServer {
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

    private func prepareFirst() async throws -> PreparedServer {
        logger.info("no backup to restore on BackupStorage for directory \(context.shard). Starting up empty.")
        logger.warning(
            "a first backup holds what the primary's binary logs hold: what was made there with sql_log_bin = 0, or before the logs begin, is missing in it"
        )
        return try await step(.mysqld, "failed to initialize mysql data dir and start mysqld") {
            let first = try await mysqld.initialize(initSQLFile: settings.initSQLFile) { server in
                try await step(.mysqld, "error resetting replication: failed to reset replication") {
                    try await server.resetReplication()
                }
                return try await catchUpAndFinish(server, isFirst: true)
            }
            return try await restartIfAsked(first)
        }
    }

    // MARK: With a base

    private func prepareFromBackup() async throws -> PreparedServer {
        let restore = BaseRestore(context: context, known: known, mysqld: mysqld, claim: claim)
        let first = try await BaseFallback(restore: restore, logger: logger).run { base in
            try await context.settingsCheck.explainingStart(of: mysqld, on: base.backupName) {
                try await mysqld.withServer { server in
                    try await step(.mysqld, "error resetting replication") {
                        try await resetReplication(server, to: base)
                    }
                    return try await catchUpAndFinish(server)
                }
            }
        }
        return try await restartIfAsked(first)
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

    // MARK: The same for all

    private func catchUpAndFinish(
        _ server: any ReplicaServer,
        isFirst: Bool = false
    ) async throws -> PreparedServer {
        let undoOfPrimary = try await context.settingsCheck.run(on: server, isFirst: isFirst)
        let redoLogIsOff = settings.disableRedoLog ? await disableRedoLog(server) : false
        let catchUp = CatchUp(
            primary: context.shardPrimary,
            errant: context.errant,
            source: context.source,
            disk: mysqld.directory.path,
            progress: context.progress,
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
        let prepared = try await finishPreparing(server, undoOfPrimary: undoOfPrimary)
        // Asked after reading our own position: what it lacks then, it never had.
        let limits = CatchUp.Limits()
        let theirs = try await context.shardPrimary.position(
            within: limits.primaryUnreachable,
            refusedFor: limits.noProgress
        )
        if let refusal = try await context.errant.refusal(
            of: prepared.position,
            what: "the new backup",
            primary: theirs
        ) {
            throw ErrantTransactions.poisoned(refusal)
        }
        return prepared
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
        undoOfPrimary: FilePath? = nil
    ) async throws -> PreparedServer {
        try await step(.mysqld, "cannot make the server forget its source") { try await server.dropSource() }
        var prepared = try await PreparedServer(reading: server, now: context.clock.now(), undoOfPrimary: undoOfPrimary)
        let completeness = CompletenessCheck(
            engine: context.backupEngine.traits,
            allowed: settings.allowIncompleteTablespaces,
            threads: context.threads,
            logger: logger
        )
        prepared.files = try await completeness.run(on: server, mysqld.directory, prepared)
        if settings.upgradeSafe {
            try await step(.mysqld, "failed to disable fast shutdown") { try await server.requestSlowShutdown() }
            prepared.upgradeSafe = true
        }
        return prepared
    }

    private func restartIfAsked(_ prepared: PreparedServer) async throws -> PreparedServer {
        guard settings.restartBeforeBackup else { return prepared }
        return try await step(.mysqld, "Could not start MySQL after full shutdown") {
            try await mysqld.withServer { server in
                // The time stays that of the data; everything else is read again.
                var again = try await finishPreparing(server, undoOfPrimary: prepared.undoOfPrimary)
                again.backupTime = prepared.backupTime
                return again
            }
        }
    }
}
