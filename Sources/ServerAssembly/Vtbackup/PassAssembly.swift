import CommandLineKit
import Concurrency
import Engines
import Logging
import MySQLControl
import MySQLWire
import NIOCore
import NIOPosix
import Observability
import SystemPackage
import TabletRPC
import Topology
import Vocabulary
import Workflows

/// Puts a pass together, and runs it.
struct PassAssembly: Sendable {
    let options: VtbackupOptions
    let shard: ShardPath
    let parts: CopyingParts
    let mysqld: MysqldParts
    let sink: LogSink
    let logger: Logger

    func run() async throws {
        try options.topology.validateProtocol()
        let (queries, skipped) = try options.initQueries()
        if let skipped { logger.info("\(skipped)") }
        let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let meter = TopologyMeter()
        try await withCleanup {
            try await options.topology.withStore(meter: meter) { store in
                try await run(in: store, queries, eventLoops)
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

    private func run(
        in store: any TopologyStore,
        _ queries: InitQueries?,
        _ eventLoops: MultiThreadedEventLoopGroup
    ) async throws {
        try await BlockingThreads.with(count: 1) { leaseThreads in
            let leases = LeaseParts(
                passLock: options.policy.passLock,
                topology: options.topology,
                storage: options.storage,
                threads: leaseThreads,
                logger: logger
            )
            let alias = TabletAlias(cell: "vtbackup", uid: UInt32.random(in: 0..<UInt32.max))
            let lease = try await leases.lease(of: shard, alias, in: store)
            let context = try context(store, alias, queries, lease, eventLoops)
            try await PassProgressDisplay.during(sink) { progress in
                var context = context
                context.progress = progress
                try await BackupPass(context).run()
            }
        }
    }

    private func context(
        _ store: any TopologyStore,
        _ alias: TabletAlias,
        _ queries: InitQueries?,
        _ lease: ShardLease?,
        _ eventLoops: MultiThreadedEventLoopGroup
    ) throws -> PassContext {
        var generator = SystemRandomNumberGenerator()
        let serverID = MyCnf.randomServerID(using: &generator)
        let replication = mysqld.replication
        let source = ReplicationSource(host: "", port: 0, user: replication.user, password: replication.password)
        let primary = MySQLPrimary(credentials: replication, tls: source.connectionTLS, eventLoops: eventLoops)
        var settings = options.policy.settings(shard, alias)
        settings.initQueries = queries
        settings.hostname = { (try? await parts.fileThreads.run { HostName.own }) ?? "" }
        return PassContext(
            settings: settings,
            backups: ShardBackups(shard: shard, storage: parts.storage),
            lease: lease,
            topology: ShardTopology(store: store),
            primary: options.topology.asksMysqld
                ? primary : PrimaryAndMysqld(tablet: try tabletManagers(), mysqld: primary),
            access: MySQLReplicationAccess(
                credentials: replication,
                tls: source.connectionTLS,
                serverID: serverID,
                eventLoops: eventLoops
            ),
            source: source,
            makeServer: { try await mysqld.server(alias, serverID: serverID, shard, eventLoops) },
            backupEngine: parts.backupEngine,
            restoreEngines: parts.restoreEngines(owner: try mysqld.user().fileOwner, durable: false),
            threads: parts.dataPlane.threads,
            progress: PassProgress(),
            clock: .system,
            logger: logger
        )
    }

    private func tabletManagers() throws -> TabletManagerClient {
        let (dialing, warnings) = try options.tabletRPC.dialing()
        for warning in warnings { logger.warning("\(warning)") }
        return TabletManagerClient(dialing: dialing)
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
