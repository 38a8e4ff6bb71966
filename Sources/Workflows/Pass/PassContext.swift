package import Concurrency
package import Engines
package import Logging
package import MySQLControl
package import Topology
import Vocabulary

/// What the steps of one pass share: what they are to do, and whom they do it with.
package struct PassContext: Sendable {
    package var settings: BackupPass.Settings
    package var backups: ShardBackups
    /// Keeps other passes out; `nil`: nothing does.
    package var lease: ShardLease?
    /// Where the primary is looked up.
    package var topology: ShardTopology
    /// Answers for its position.
    package var primary: any PrimaryTablet
    /// Answers whether it lets us replicate; `nil`: that shows when catching up.
    package var access: (any ReplicationAccess)?
    /// User, password and TLS of replication; host and port are taken from the topology.
    package var source: ReplicationSource
    /// Looks for mysqld and describes our server; called only when a backup is due.
    package var makeServer: @Sendable () async throws -> any TabletServer
    package var backupEngine: any BackupEngine
    package var restoreEngines: RestoreEngines
    /// For what blocks.
    package var threads: BlockingThreads
    /// Told what the pass is doing.
    package var progress: PassProgress
    package var clock: Clocks
    package var logger: Logger

    /// Describes a pass.
    package init(
        settings: BackupPass.Settings,
        backups: ShardBackups,
        lease: ShardLease?,
        topology: ShardTopology,
        primary: any PrimaryTablet,
        access: (any ReplicationAccess)? = nil,
        source: ReplicationSource,
        makeServer: @escaping @Sendable () async throws -> any TabletServer,
        backupEngine: any BackupEngine,
        restoreEngines: RestoreEngines,
        threads: BlockingThreads,
        progress: PassProgress,
        clock: Clocks,
        logger: Logger
    ) {
        (self.settings, self.backups, self.lease, self.topology) = (settings, backups, lease, topology)
        (self.primary, self.access, self.source) = (primary, access, source)
        (self.makeServer, self.backupEngine, self.restoreEngines) = (makeServer, backupEngine, restoreEngines)
        (self.threads, self.progress, self.clock, self.logger) = (threads, progress, clock, logger)
    }

    var shard: ShardPath { backups.shard }

    var shardPrimary: ShardPrimary {
        ShardPrimary(shard: shard, topology: topology, tablets: primary, clock: clock, logger: logger)
    }

    var settingsCheck: SettingsCheck { SettingsCheck(primary: shardPrimary, logger: logger) }

    var errant: ErrantTransactions {
        ErrantTransactions(primary: shardPrimary, allowed: settings.allowErrantTransactions, logger: logger)
    }

    var verification: Verification {
        Verification(
            backups: backups,
            engines: restoreEngines,
            threads: threads,
            progress: progress,
            clock: clock,
            logger: logger
        )
    }
}
