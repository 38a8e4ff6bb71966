import Catalog
import CommandLineKit
import Concurrency
import Engines
import FoundationEssentials
import Host
package import Logging
import MySQLControl
import MySQLWire
import NIOCore
import NIOPosix
package import Observability
import Positions
import Processes
import Storage
package import SystemPackage
import TabletRPC
import Topology
import Vocabulary
import Workflows

/// Puts a `vtbackup` together from its flags, and runs what they ask for.
package struct VtbackupAssembly: Sendable {
    private let options: VtbackupOptions
    private let given: Set<String>
    private let environment: [String: String]
    private let program: FilePath
    private let sink: LogSink
    private let logger: Logger

    /// Takes what the command line and the environment say.
    ///
    /// Nothing below reads either.
    /// - Parameters:
    ///   - options: the flags.
    ///   - given: names of the flags that were given.
    ///   - environment: the process's environment.
    ///   - program: absolute path of this program, where it is known.
    ///   - sink: where the log goes.
    ///   - logger: writes to `sink`.
    package init(
        options: VtbackupOptions,
        given: Set<String>,
        environment: [String: String],
        program: FilePath,
        sink: LogSink,
        logger: Logger
    ) {
        (self.options, self.given, self.environment) = (options, given, environment)
        (self.program, self.sink, self.logger) = (program, sink, logger)
    }

    /// What the threads and connections of one run are.
    private struct Resources: Sendable {
        var fileThreads: BlockingThreads
        var codecThreads: BlockingThreads
        /// Apart from those of the files: a renewal never waits for an upload.
        var leaseThreads: BlockingThreads
        var storage: any BackupStorage
    }

    /// Runs the action, or the pass.
    /// - Parameter print: takes results for stdout.
    /// - Throws: any error of the layers below; `UsageError` for flags that cannot be used.
    package func run(print: @escaping @Sendable (String) -> Void) async throws {
        try options.validate(given: given)
        let shard = try options.shardPath()
        for warning in try options.warnings(given: given) + sizing().warnings { logger.warning("\(warning)") }
        let grace = options.action.shutdownGrace.duration
        Descendants.adoptOrphans()
        try await withInterruption(grace: grace, logger: logger) {
            try await withResources { resources in
                let backups = ShardBackups(shard: shard, storage: resources.storage)
                if options.action.listBackups {
                    try await list(backups, print)
                } else if options.action.pruneDryRun {
                    try await showPruning(backups, print)
                } else if !options.action.restoreTo.isEmpty {
                    try await restore(backups, resources, print)
                } else {
                    try await pass(shard, resources)
                }
            }
        }
    }

    private func withResources(_ body: @escaping @Sendable (Resources) async throws -> Void) async throws {
        let sizing = try sizing()
        try await BlockingThreads.with(count: min(64, sizing.concurrency + 1)) { fileThreads in
            try await BlockingThreads.with(count: sizing.threads) { codecThreads in
                try await BlockingThreads.with(count: 1) { leaseThreads in
                    let storage = try options.storage.open(threads: fileThreads)
                    try await body(
                        Resources(
                            fileThreads: fileThreads,
                            codecThreads: codecThreads,
                            leaseThreads: leaseThreads,
                            storage: storage
                        )
                    )
                }
            }
        }
    }

    // MARK: Actions

    private func list(_ backups: ShardBackups, _ print: (String) -> Void) async throws {
        let listed = try await backups.load()
        for backup in listed where backup.storedManifest != nil {
            if let warning = backup.warning(Date()) { logger.warning("\(warning)") }
            if case .unreadable(let reason) = backup.verification {
                logger.warning("cannot read whether backup \(backups.shard)/\(backup.name) was verified: \(reason)")
            }
            if case .unreadable(let reason) = backup.catchUpFailure {
                logger.warning(
                    "cannot read whether backup \(backups.shard)/\(backup.name) could be caught up with: \(reason)"
                )
            }
        }
        let listing = BackupListing(shard: backups.shard, backups: listed)
        print(options.action.json ? try listing.json() : listing.table)
    }

    private func showPruning(_ backups: ShardBackups, _ print: (String) -> Void) async throws {
        let plan = try await Pruning(backups: backups, policy: retentionPolicy, logger: logger).plan(now: Date())
        let report = RetentionReport(shard: backups.shard, retention: plan)
        print(options.action.json ? try report.json() : report.table)
    }

    private func restore(
        _ backups: ShardBackups,
        _ resources: Resources,
        _ print: @escaping @Sendable (String) -> Void
    ) async throws {
        let folder = FilePath(FileManager.default.currentDirectoryPath).pushing(FilePath(options.action.restoreTo))
        let owner = try ownerOfRestored(folder)
        let engines = restoreEngines(try dataPlane(resources), owner: owner, durable: true)
        let action = RestoreToFolder(backups: backups, engines: engines, owner: owner, logger: logger)
        let name = options.action.backupName.isEmpty ? nil : options.action.backupName
        let manifest = try await showingProgress { progress in
            try await action.run(name: name, into: folder, progress: progress)
        }
        let report = RestoreReport(
            backup: manifest.backupName,
            folder: folder.string,
            position: manifest.position.encoded
        )
        print(
            options.action.json
                ? try JSONText.encode(report)
                : "restored \(PrintableText.line(report.backup)) to \(PrintableText.line(report.folder))\nposition \(PrintableText.line(report.position))\n"
        )
    }

    /// As root, what is restored belongs to the owner of the folder it goes to, or of the one above.
    private func ownerOfRestored(_ folder: FilePath) throws -> FileOwner? {
        let owner = try FileTree.status(folder)?.owner ?? FileTree.status(folder.removingLastComponent())?.owner
        guard let owner, owner.user != 0, MysqldUser.isRoot else { return nil }
        return owner
    }

    private struct RestoreReport: Encodable {
        var backup: String
        var folder: String
        var position: String
    }

    // MARK: Pass

    private func pass(_ shard: ShardPath, _ resources: Resources) async throws {
        try options.topology.validateProtocol()
        let (queries, skipped) = try options.initQueries()
        if let skipped { logger.info("\(skipped)") }
        let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let meter = TopologyMeter()
        try await withCleanup {
            try await options.topology.withStore(meter: meter) { store in
                try await runPass(shard, store, queries, resources, eventLoops)
            }
        } cleanup: {
            try await eventLoops.shutdownGracefully()
        }
        let cost = meter.reading
        if cost.requests > 0 {
            logger.info("topology: \(cost.requests) requests in \(GoDuration.text(seconds: cost.time / .seconds(1)))")
        }
        await keepAlive()
    }

    private func runPass(
        _ shard: ShardPath,
        _ store: any TopologyStore,
        _ queries: InitQueries?,
        _ resources: Resources,
        _ eventLoops: MultiThreadedEventLoopGroup
    ) async throws {
        let topology = ShardTopology(store: store)
        var generator = SystemRandomNumberGenerator()
        let alias = TabletAlias(cell: "vtbackup", uid: UInt32.random(in: 0..<UInt32.max, using: &generator))
        let serverID = MyCnf.randomServerID(using: &generator)
        let replication = MySQLConnection.Credentials(
            user: options.mysqld.dbReplUser,
            password: options.mysqld.dbReplPassword
        )
        let makeServer: @Sendable () async throws -> any TabletServer = {
            try await server(alias, serverID: serverID, shard, eventLoops)
        }
        let settings = settings(shard, alias, queries, resources)
        let source = ReplicationSource(host: "", port: 0, user: replication.user, password: replication.password)
        let mysqld = MySQLPrimary(credentials: replication, tls: source.connectionTLS, eventLoops: eventLoops)
        let primary: any PrimaryTablet =
            options.topology.asksMysqld ? mysqld : PrimaryAndMysqld(tablet: try tabletManagers(), mysqld: mysqld)
        let lease = try await lease(shard, alias, store, resources)
        let dataPlane = try dataPlane(resources)
        let restoreEngines = restoreEngines(dataPlane, owner: try mysqldUser().fileOwner, durable: false)
        try await showingProgress { progress in
            let context = PassContext(
                settings: settings,
                backups: ShardBackups(shard: shard, storage: resources.storage),
                lease: lease,
                topology: topology,
                primary: primary,
                access: MySQLReplicationAccess(
                    credentials: replication,
                    tls: source.connectionTLS,
                    serverID: serverID,
                    eventLoops: eventLoops
                ),
                source: source,
                makeServer: makeServer,
                backupEngine: backupEngine(dataPlane),
                restoreEngines: restoreEngines,
                threads: dataPlane.threads,
                progress: progress,
                clock: .system,
                logger: logger
            )
            try await BackupPass(context).run()
        }
    }

    private func tabletManagers() throws -> TabletManagerClient {
        let (dialing, warnings) = try options.tabletRPC.dialing()
        for warning in warnings { logger.warning("\(warning)") }
        return TabletManagerClient(dialing: dialing)
    }

    private func lease(
        _ shard: ShardPath,
        _ alias: TabletAlias,
        _ store: any TopologyStore,
        _ resources: Resources
    ) async throws -> ShardLease? {
        guard options.policy.passLock != .off else { return nil }
        let (holder, user) = try await resources.leaseThreads.run {
            (LeaseHolder.current(alias: alias.description, host: HostName.local), ProcessUser.name ?? "")
        }
        var clusterLock: ClusterLock?
        if options.policy.passLock == .topo {
            clusterLock = ClusterLock(
                of: shard,
                in: store,
                host: holder.host,
                user: user,
                limits: options.topology.lockLimits,
                now: Date()
            )
        }
        return ShardLease(
            storage: try options.storage.open(threads: resources.leaseThreads),
            shard: shard,
            holder: holder,
            clusterLock: clusterLock,
            clock: .system,
            logger: logger
        )
    }

    private func settings(
        _ shard: ShardPath,
        _ alias: TabletAlias,
        _ queries: InitQueries?,
        _ resources: Resources
    ) -> BackupPass.Settings {
        let policy = options.policy
        var settings = BackupPass.Settings(shard: shard, alias: alias)
        settings.freshness.initialBackup = policy.initialBackup
        settings.freshness.allowFirstBackup = policy.allowFirstBackup
        settings.freshness.minimumInterval = max(0, policy.minBackupInterval.seconds)
        settings.retention = retentionPolicy
        settings.upgradeSafe = policy.upgradeSafe
        settings.restartBeforeBackup = policy.restartBeforeBackup
        settings.disableRedoLog = policy.disableRedoLog
        settings.verifiesAfter = policy.verifyAfter
        settings.allowErrantTransactions = policy.allowErrantGtids
        settings.allowIncompleteTablespaces = policy.allowIncompleteTablespaces
        settings.initSQLFile = policy.initDbSqlFile.isEmpty ? nil : FilePath(policy.initDbSqlFile)
        settings.initQueries = queries
        settings.hostname = { (try? await resources.fileThreads.run { HostName.own }) ?? "" }
        return settings
    }

    private var retentionPolicy: Retention.Policy {
        var policy = Retention.Policy()
        policy.minimumTime = options.policy.minRetentionTime.seconds
        policy.minimumCount = options.policy.minRetentionCount
        return policy
    }

    private func server(
        _ alias: TabletAlias,
        serverID: UInt32,
        _ shard: ShardPath,
        _ eventLoops: MultiThreadedEventLoopGroup
    ) async throws -> Mysqld {
        let installation = try await MysqldInstallation.locate(environment: environment)
        let directory = TabletDirectory(dataRoot: dataRoot, uid: alias.uid)
        let socket = options.mysqld.mysqlSocket.isEmpty ? nil : FilePath(options.mysqld.mysqlSocket)
        var mysqld = Mysqld(
            installation: installation,
            configuration: MyCnf(
                directory: directory,
                serverID: serverID,
                port: options.mysqld.mysqlPort,
                socket: socket
            ),
            user: try mysqldUser(root: installation.root),
            hooks: Hooks(
                root: Hooks.root(environment: environment, program: program),
                limit: options.mysqld.mysqlTimeout.duration
            ),
            administrator: MySQLConnection.Credentials(
                user: options.mysqld.dbDbaUser,
                password: options.mysqld.dbDbaPassword
            ),
            eventLoops: eventLoops,
            logger: logger
        )
        mysqld.extraConfigurations = extraConfigurations
        mysqld.hookEnvironment = [
            "KEYSPACE": shard.keyspace, "SHARD": shard.shard, "TABLET_TYPE": environment["TABLET_TYPE"] ?? "",
            "TABLET_ID": String(alias.uid), "TABLET_DIR": directory.path.string,
            "MYSQL_PORT": String(options.mysqld.mysqlPort),
        ]
        mysqld.startTimeout = options.mysqld.mysqlTimeout.duration
        mysqld.stopTimeout = min(
            options.mysqld.mysqlShutdownTimeout.duration,
            options.engine.builtinbackupMysqldTimeout.duration
        )
        try mysqld.checkSocketPath()
        return mysqld
    }

    private var dataRoot: FilePath {
        let root = environment["VTDATAROOT"] ?? ""
        if root.isEmpty { return "/vt" }
        // mysqld runs in another folder than we do.
        return FilePath(FileManager.default.currentDirectoryPath).pushing(FilePath(root)).lexicallyNormalized()
    }

    private var extraConfigurations: [FilePath] {
        (environment["EXTRA_MY_CNF"] ?? "").split(separator: ":").map { FilePath(String($0)) }
    }

    private func mysqldUser(root: FilePath? = nil) throws -> MysqldUser {
        try MysqldUser.decide(
            allowRoot: options.mysqld.allowRoot,
            dataRoot: dataRoot,
            mustEnter: (root.map { [$0] } ?? []) + extraConfigurations
        )
    }

    // MARK: Engines

    private func sizing() throws -> Sizing {
        try Sizing(
            options: options,
            given: given,
            cores: Processors.available,
            cgroupLimit: ControlGroups.own.memoryLimit,
            openFiles: OpenFileLimit.raise(for: options.policy.concurrency)
        )
    }

    private func dataPlane(_ resources: Resources) throws -> DataPlane {
        let engine = options.engine
        let sizing = try sizing()
        return DataPlane(
            threads: resources.codecThreads,
            codec: try engine.codec(),
            blockSize: sizing.blockSize,
            blocksInFlight: engine.blocksInFlight(given: given),
            concurrency: sizing.concurrency,
            flightBudget: sizing.budget.flight
        )
    }

    private func backupEngine(_ dataPlane: DataPlane) -> any BackupEngine {
        BuiltinBackup(
            dataPlane: dataPlane,
            progressInterval: options.engine.builtinbackupProgress.duration,
            checksPages: !options.engine.skipPageCheck,
            logger: logger
        )
    }

    /// All that there are.
    private func restoreEngines(_ dataPlane: DataPlane, owner: FileOwner?, durable: Bool) -> RestoreEngines {
        RestoreEngines([
            BuiltinRestore(
                dataPlane: dataPlane,
                owner: owner,
                durable: durable,
                decompressors: options.engine.decompressors,
                logger: logger
            )
        ])
    }

    // MARK: Around a run

    /// Runs `body` while a terminal shows its progress.
    private func showingProgress<Result: Sendable>(
        _ body: @escaping @Sendable (PassProgress) async throws -> Result
    ) async throws -> Result {
        let progress = PassProgress()
        guard sink.isTerminal else { return try await body(progress) }
        return try await withHelpers([{ await PassProgressDisplay(sink: sink, progress: progress).run() }]) {
            try await body(progress)
        }
    }

    private func keepAlive() async {
        let wait = options.policy.keepAliveTimeout
        guard wait.nanoseconds > 0 else { return }
        logger.info(
            "Backup was successful, waiting \(GoDuration.text(nanoseconds: wait.nanoseconds)) before exiting (or until context expires)."
        )
        // A signal ends the wait, not the success.
        try? await Task.sleep(for: wait.duration)
    }
}
