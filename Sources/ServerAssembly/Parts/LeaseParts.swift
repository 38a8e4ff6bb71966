import Concurrency
import FoundationEssentials
import Logging
import Storage
import Topology
import Vocabulary
import Workflows

/// What keeps two passes from one shard: `--pass-lock`.
struct LeaseParts: Sendable {
    let passLock: PassLock
    let topology: TopologyOptions
    let storage: StorageOptions
    /// Apart from those of the files: a renewal never waits for an upload.
    let threads: BlockingThreads
    let logger: Logger

    /// The lease of a shard, not taken; `nil`: none is asked for.
    /// - Throws: what opening the storage throws.
    func lease(of shard: ShardPath, _ alias: TabletAlias, in store: any TopologyStore) async throws -> ShardLease? {
        guard passLock != .off else { return nil }
        let (holder, user) = try await threads.run {
            (LeaseHolder.current(alias: alias.description, host: HostName.local), ProcessUser.name ?? "")
        }
        var clusterLock: ClusterLock?
        if passLock == .topo {
            clusterLock = ClusterLock(
                of: shard,
                in: store,
                host: holder.host,
                user: user,
                limits: topology.lockLimits,
                now: Date()
            )
        }
        return ShardLease(
            storage: try storage.open(threads: threads),
            shard: shard,
            holder: holder,
            clusterLock: clusterLock,
            clock: .system,
            logger: logger
        )
    }
}
