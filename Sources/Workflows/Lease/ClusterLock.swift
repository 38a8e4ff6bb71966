package import FoundationEssentials
import Synchronization
package import Topology
package import Vocabulary

/// The lock of a shard's passes in the topology (`--pass-lock=topo`), held beside the lease in storage.
///
/// A named lock of its own: the shard's lock, held for hours, would keep everybody from choosing another primary.
package struct ClusterLock: Sendable {
    private let topology: any TopologyStore
    private let shard: ShardPath
    private let record: LockRecord
    private let limits: LockLimits

    /// A lock of `shard`.
    /// - Parameters:
    ///   - shard: whose passes it keeps apart.
    ///   - topology: where it is held.
    ///   - host: of this machine.
    ///   - user: that this process runs as.
    ///   - limits: how long to wait for it, and how long it outlives us.
    ///   - now: the time.
    package init(
        of shard: ShardPath,
        in topology: any TopologyStore,
        host: String,
        user: String,
        limits: LockLimits,
        now: Date
    ) {
        (self.topology, self.shard, self.limits) = (topology, shard, limits)
        record = LockRecord(action: "vtbackup", host: host, user: user, time: now)
    }

    private var name: String { "vtbackup-\(shard.keyspace)-\(shard.shard)" }

    /// Waits for the lock, runs `body`, and gives the lock back.
    ///
    /// `body` is cancelled when the topology says that the lock is lost.
    /// - Throws: ``WorkflowError`` with code `refused` when somebody else has it, `lease` when it was lost, `topology` when
    ///   it cannot be taken; else what `body` throws.
    func hold<Result: Sendable>(
        _ body: @escaping @Sendable (any TopologyLock) async throws -> Result
    ) async throws -> Result {
        let isHeld = Mutex(false)
        let hold: @Sendable (any TopologyLock) async throws -> Result = { lock in
            isHeld.withLock { $0 = true }
            return try await body(lock)
        }
        do {
            return try await topology.withNamedLock(name, record, limits, hold)
        } catch let error as TopologyError where error.code == .lockLost && isHeld.withLock({ $0 }) {
            throw Self.lost(error)
        } catch let error as TopologyError where error.code == .lockHeld {
            throw WorkflowError(
                .refused,
                "shard \(shard) is being worked on by another pass: \(error); HINT: wait until it has ended; a dead holder's lock in etcd ends with its lease, see --topo-etcd-lease-ttl"
            )
        } catch let error as TopologyError where !isHeld.withLock({ $0 }) {
            throw WorkflowError(.topology, "cannot take the lock of shard \(shard) in the topology", cause: error)
        }
    }

    /// What ends a pass whose lock is no longer its own.
    static func lost(_ error: TopologyError) -> WorkflowError {
        WorkflowError(
            .lease,
            "\(error); nothing is committed any more; HINT: see which other pass runs, and whether the topology answered"
        )
    }
}
