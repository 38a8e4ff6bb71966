/// A lock of the topology that we hold.
package protocol TopologyLock: Sendable {
    /// Makes sure, by asking the store, that the lock is still ours.
    /// - Throws: ``TopologyError`` with code `lockLost`.
    func confirm() async throws

    /// Whether somebody else may have the lock by now, as far as can be told without asking.
    var mayBeOver: Bool { get }
}

/// How long a lock is waited for, and how long it outlives its holder.
package struct LockLimits: Hashable, Sendable {
    /// Waiting for whoever has it (`--lock-timeout`).
    package var acquisition = Duration.seconds(45)
    /// Giving it back (`--remote-operation-timeout`).
    package var release = Duration.seconds(15)
    /// Without a sign of life from its holder it is over (`--topo-etcd-lease-ttl`); whole seconds.
    package var lifetime = Duration.seconds(30)

    /// The defaults of the flags.
    package init() {}
}
