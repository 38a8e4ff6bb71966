package import ArgumentParser
package import CommandLineKit
import Processes
package import Vocabulary
package import Workflows

/// All flags of `vtbackup`.
package struct VtbackupOptions: ParsableArguments {
    @OptionGroup package var policy: PolicyOptions
    @OptionGroup package var mysqld: MysqldOptions
    @OptionGroup package var engine: EngineOptions
    @OptionGroup package var storage: StorageOptions
    @OptionGroup package var topology: TopologyOptions
    @OptionGroup package var tabletRPC: TabletRPCOptions
    @OptionGroup package var log: LogOptions
    @OptionGroup package var action: ActionOptions

    /// Creates the flags with their defaults.
    package init() {}

    /// Keyspace and shard.
    /// - Throws: ``UsageError`` that names the flag.
    package func shardPath() throws(UsageError) -> ShardPath {
        if policy.initKeyspace.isEmpty { throw UsageError("--init-keyspace must be given") }
        if policy.initShard.isEmpty { throw UsageError("--init-shard must be given") }
        do {
            return try ShardPath(keyspace: policy.initKeyspace, shard: policy.initShard)
        } catch {
            throw UsageError(
                "--init-keyspace=\(policy.initKeyspace) --init-shard=\(policy.initShard): \(error.message)"
            )
        }
    }

    /// Everything that can be told before any work: what is refused, with the reason.
    /// - Throws: ``UsageError``.
    package func validate(given: Set<String>) throws(UsageError) {
        try topology.check(takesLock: policy.passLock == .topo)
        try tabletRPC.check()
        try action.check()
        let policy = policy
        guard policy.concurrency >= 1 else {
            throw UsageError("--concurrency must be at least 1, it is \(policy.concurrency)")
        }
        if !policy.incrementalFromPos.isEmpty {
            throw UsageError(
                "--incremental-from-pos is not available in this version yet; HINT: take a full backup, or incremental ones with a tablet's Backup command"
            )
        }
        // Everything would be older than that.
        guard policy.minRetentionTime.nanoseconds >= 0 else {
            throw UsageError("--min-retention-time must not be negative")
        }
        for (name, value) in [
            ("mysql-timeout", mysqld.mysqlTimeout), ("mysql-shutdown-timeout", mysqld.mysqlShutdownTimeout),
            ("builtinbackup-mysqld-timeout", engine.builtinbackupMysqldTimeout),
            ("builtinbackup-progress", engine.builtinbackupProgress),
            ("shutdown-grace", action.shutdownGrace),
        ] where value.nanoseconds <= 0 { throw UsageError("--\(name) must be greater than zero") }
        guard (1...65_535).contains(mysqld.mysqlPort) else {
            throw UsageError("--mysql-port=\(mysqld.mysqlPort) is no TCP port")
        }
        try validateEngine(given: given)
    }

    private func validateEngine(given: Set<String>) throws(UsageError) {
        switch engine.backupEngineImplementation {
        case "builtin": break
        case "xtrabackup", "mysqlshell":
            throw UsageError(
                "--backup-engine-implementation=\(engine.backupEngineImplementation) is not available in this version yet; use builtin"
            )
        default:
            throw UsageError(
                "failed to find backup engine: unknown BackupEngine implementation \"\(engine.backupEngineImplementation)\""
            )
        }
        guard (1024...(32 << 20)).contains(engine.backupStorageBlockSize) else {
            throw UsageError(
                "--backup-storage-block-size must be between 1024 and \(32 << 20) bytes, it is \(engine.backupStorageBlockSize)"
            )
        }
        if given.contains("memory-budget"), engine.memoryBudget.bytes < MemoryBudget.minimum {
            throw UsageError(
                "--memory-budget must be at least \(ByteCountValue(bytes: MemoryBudget.minimum)), it is \(engine.memoryBudget)"
            )
        }
        try validateDecompressor()
        _ = try engine.codec()
    }

    private func validateDecompressor() throws(UsageError) {
        for (name, command) in [
            ("external-decompressor", engine.externalDecompressor),
            ("manifest-external-decompressor", engine.manifestExternalDecompressor),
        ] where !command.isEmpty {
            do {
                _ = try ExternalCommand(command)
            } catch {
                throw UsageError("--\(name): \(error.message)")
            }
        }
    }

    /// One warning for each given flag that changes nothing here.
    package func warnings(given: Set<String>) -> [String] {
        let reasons = [
            "mysql-server-version": "the version is asked of mysqld itself",
            "builtinbackup-file-read-buffer-size": "files are read in blocks of --backup-storage-block-size",
            "builtinbackup-file-write-buffer-size": "files are written in the blocks that they were compressed in",
            "builtinbackup-incremental-restore-path": "incremental restores are not available in this version yet",
            "external-compressor-extension": "it is only used with xtrabackup",
            "init-db-name-override": "a backup holds the whole server",
        ].merging(policy.passLock == .topo ? [:] : TopologyOptions.withoutEffectWithoutLock) { $1 }
            .merging(TabletRPCOptions.withoutEffect) { $1 }
        var warnings = given.sorted().compactMap { name in reasons[name].map { "--\(name) has no effect: \($0)" } }
        warnings += harmless(given) + topology.harmless + tabletRPC.harmless
        for name in ["db-dba-password", "db-repl-password"] where given.contains(name) {
            warnings.append("--\(name) shows the password to everyone who can list processes")
        }
        return warnings
    }

    /// What Vitess starts with, too, and what it means here.
    private func harmless(_ given: Set<String>) -> [String] {
        var lines: [String] = []
        if policy.initialBackup, policy.allowFirstBackup {
            lines.append("--allow-first-backup has no effect: --initial-backup seeds an empty shard")
        }
        for (name, value) in [
            ("min-backup-interval", policy.minBackupInterval), ("keep-alive-timeout", policy.keepAliveTimeout),
        ] where value.nanoseconds < 0 { lines.append("--\(name) is negative, which is the same as 0") }
        if given.contains("backup-storage-number-blocks"), engine.backupStorageNumberBlocks < 1 {
            lines.append(
                "--backup-storage-number-blocks=\(engine.backupStorageNumberBlocks) has no effect: below 1 memory decides"
            )
        }
        return lines
    }

    /// The statements to run before the copy, if they apply to vtbackup.
    /// - Returns: the queries, or a line that says why they are left out.
    /// - Throws: ``UsageError`` when they are incomplete.
    package func initQueries() throws(UsageError) -> (queries: InitQueries?, skipped: String?) {
        let policy = policy
        guard !policy.initBackupSqlQueries.isEmpty else { return (nil, nil) }
        guard !policy.initBackupTabletTypes.isEmpty else {
            throw UsageError("backup init SQL queries provided but no tablet types on which to run them")
        }
        guard policy.initBackupSqlTimeout.nanoseconds > 0 else {
            throw UsageError(
                "backup init SQL queries provided but no timeout provided -- this is dangerous and not allowed"
            )
        }
        let known = [
            "unknown", "primary", "master", "replica", "rdonly", "batch", "spare", "experimental", "backup", "restore",
            "drained",
        ]
        for type in policy.initBackupTabletTypes where !known.contains(type.lowercased()) {
            throw UsageError(
                "invalid argument \"\(type)\" for \"--init-backup-tablet-types\" flag: unknown TabletType \(type)"
            )
        }
        guard policy.initBackupTabletTypes.contains(where: { $0.lowercased() == "backup" }) else {
            return (
                nil,
                "Skipping backup init SQL queries: they are for \(policy.initBackupTabletTypes.joined(separator: ",")), vtbackup is of type BACKUP"
            )
        }
        return (
            InitQueries(
                statements: policy.initBackupSqlQueries,
                timeout: policy.initBackupSqlTimeout.duration,
                failOnError: policy.initBackupSqlFailOnError
            ), nil
        )
    }
}
