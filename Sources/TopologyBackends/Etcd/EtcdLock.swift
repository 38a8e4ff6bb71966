import Concurrency
import FoundationEssentials
import GRPCCore
import SwiftProtobuf
import Synchronization
import Topology
import WireProtos

/// Our place in the queue for one lock: a key below `<folder>/locks/` that lives as long as a lease of ours.
///
/// Keys stand in the order of their creation, and the first has the lock; those of Vitess's tools stand in the same queue.
final class EtcdLock: TopologyLock {
    private struct State {
        /// When the request was sent whose answer last said that it is ours.
        var confirmedAt: ContinuousClock.Instant
        /// Of our key's creation; 0: it is not there yet.
        var revision: Int64 = 0
        /// What the one before us says of itself.
        var predecessor: [UInt8]?
    }

    /// Between attempts when a server does not answer.
    private static let pause = Duration.milliseconds(500)
    /// A line may go silent without anybody telling: the queue is looked at anew after this time.
    private static let longestWatch = Duration.seconds(30)

    private let cluster: EtcdCluster
    private let folder: String
    private let lease: Int64
    private let lifetime: Duration
    private let clock = ContinuousClock()
    private let state: Mutex<State>

    private init(_ cluster: EtcdCluster, folder: String, lease: Int64, lifetime: Duration) {
        (self.cluster, self.folder, self.lease, self.lifetime) = (cluster, folder, lease, lifetime)
        state = Mutex(State(confirmedAt: clock.now))
    }

    /// Waits for the lock on `folder`, runs `body`, and gives the lock back.
    ///
    /// `body` is cancelled when the lock is lost.
    /// - Throws: ``TopologyError`` with code `lockHeld` or `lockLost`, or that etcd does not answer; what `body` throws.
    static func hold<Result: Sendable>(
        _ folder: String,
        in cluster: EtcdCluster,
        _ record: LockRecord,
        _ limits: LockLimits,
        _ body: @escaping @Sendable (any TopologyLock) async throws -> Result
    ) async throws -> Result {
        let deadline = ContinuousClock.now + limits.acquisition
        let lock = try await begin(folder, cluster, limits)
        return try await withCleanup {
            // Also while a body that was cancelled cleans up; losing the lock cancels it.
            try await withLastingHelper(on: EtcdClients.thread) {
                try await lock.keep()
            } body: {
                try await lock.take(record, until: deadline)
                return try await body(lock)
            }
        } cleanup: {
            await lock.release(within: limits.release)
        }
    }

    /// Asks for a lease; one that nobody uses, because its answer got lost, ends by itself.
    private static func begin(_ folder: String, _ cluster: EtcdCluster, _ limits: LockLimits) async throws -> EtcdLock {
        let answer: Etcdserverpb_LeaseGrantResponse
        do {
            answer = try await withDeadline(limits.acquisition, operation: "taking lock \(folder)") {
                try await EtcdCluster.translated(folder, cluster) {
                    try await cluster.ask { client, options in
                        var request = Etcdserverpb_LeaseGrantRequest()
                        request.ttl = max(1, limits.lifetime.components.seconds)
                        return try await Etcdserverpb_Lease.Client(wrapping: client).leaseGrant(
                            request,
                            options: options
                        )
                    }
                }
            }
        } catch is DeadlineExceeded {
            throw unanswered(folder, cluster)
        }
        guard answer.error.isEmpty, answer.ttl > 0 else {
            throw TopologyError(.unavailable, "etcd at \(cluster.address) grants no lease: \(answer.error)")
        }
        return EtcdLock(cluster, folder: folder, lease: answer.id, lifetime: .seconds(answer.ttl))
    }

    private static func unanswered(_ folder: String, _ cluster: EtcdCluster) -> TopologyError {
        TopologyError(.timeout, "deadline exceeded: lock \(folder): etcd at \(cluster.address) does not answer")
    }

    private var queue: String { folder + "/locks/" }
    private var key: Data { Data((queue + String(lease)).utf8) }

    // MARK: Waiting

    private func take(_ record: LockRecord, until deadline: ContinuousClock.Instant) async throws {
        do {
            try await withDeadline(deadline - clock.now, operation: "taking lock \(folder)") { [self] in
                try await EtcdCluster.translated(folder, cluster) {
                    try await enter(record)
                    while true {
                        let (predecessor, revision) = try await predecessor()
                        state.withLock { $0.predecessor = predecessor.map { Array($0.value) } }
                        guard let predecessor else { break }
                        try await waitForRemoval(of: predecessor.key, after: revision)
                    }
                }
                try await confirm()
            }
        } catch is DeadlineExceeded {
            guard let holder = state.withLock({ $0.predecessor }) else { throw Self.unanswered(folder, cluster) }
            throw TopologyError.lockHeld(folder, by: holder)
        }
    }

    /// Joins the queue; the key is ours alone, so that it does not matter how often that is asked.
    private func enter(_ record: LockRecord) async throws {
        var absent = Etcdserverpb_Compare()
        (absent.key, absent.target, absent.version) = (key, .version, 0)
        var put = Etcdserverpb_RequestOp()
        (put.requestPut.key, put.requestPut.value, put.requestPut.lease) = (key, Data(record.encoded), lease)
        var look = Etcdserverpb_RequestOp()
        look.requestRange.key = key
        var request = Etcdserverpb_TxnRequest()
        (request.compare, request.success, request.failure) = ([absent], [put], [look])
        let answer = try await cluster.ask { [request] client, options in
            try await Etcdserverpb_KV.Client(wrapping: client).txn(request, options: options)
        }
        let there = answer.responses.first?.responseRange.kvs.first?.createRevision ?? 0
        state.withLock { $0.revision = answer.succeeded ? answer.header.revision : there }
    }

    /// The youngest key that is older than ours, and the revision at which it was seen.
    private func predecessor() async throws -> (key: Mvccpb_KeyValue?, revision: Int64) {
        var request = Etcdserverpb_RangeRequest()
        request.key = Data(queue.utf8)
        request.rangeEnd = EtcdTopology.end(ofPrefix: queue)
        request.maxModRevision = state.withLock { $0.revision } - 1
        (request.sortTarget, request.sortOrder, request.limit) = (.mod, .descend, 1)
        let answer = try await cluster.ask { [request] client, options in
            try await Etcdserverpb_KV.Client(wrapping: client).range(request, options: options)
        }
        return (answer.kvs.first, answer.header.revision)
    }

    /// Returns when the key may be gone.
    private func waitForRemoval(of key: Data, after revision: Int64) async throws {
        var request = Etcdserverpb_WatchRequest()
        request.createRequest.key = key
        request.createRequest.startRevision = revision + 1
        do {
            let isRemoved = try await withDeadline(Self.longestWatch, operation: "watching lock \(folder)") {
                [cluster, request] in
                try await cluster.follow { client, options in
                    try await Etcdserverpb_Watch.Client(wrapping: client).watch(options: options) { writer in
                        try await writer.write(request)
                        // Whoever closes his side ends the watch; cancelled when the answer has been read.
                        try await Task.sleep(for: Self.longestWatch)
                    } onResponse: { response in
                        for try await message in response.messages {
                            if message.canceled { return false }
                            if message.events.contains(where: { $0.type == .delete }) { return true }
                        }
                        return false
                    }
                }
            }
            if isRemoved { return }
        } catch is DeadlineExceeded {
            return
        } catch is RPCError {
            try Task.checkCancellation()
        }
        try await clock.sleep(for: Self.pause)
    }

    // MARK: Holding

    /// Keeps the lease alive, during the waiting and the work, which may take hours.
    /// - Throws: ``TopologyError`` with code `lockLost`, or `CancellationError` when nobody needs it any more.
    private func keep() async throws {
        while true {
            try await clock.sleep(for: lifetime / 3)
            try await confirm()
        }
    }

    /// Another one may have the lock when the lease has ended: we stop before.
    private var left: Duration { state.withLock { $0.confirmedAt } + lifetime * 5 / 6 - clock.now }

    var mayBeOver: Bool { left <= .zero }

    /// One server's time to answer, so that all of them can be asked while the lease lives.
    private var attemptLimit: Duration {
        min(EtcdCluster.attemptLimit, max(.seconds(1), lifetime / 6 / cluster.serverCount))
    }

    func confirm() async throws {
        while true {
            let left = left
            guard left > .zero else {
                throw TopologyError.lockLost(folder, "etcd at \(cluster.address) did not confirm it in time")
            }
            do {
                return try await withDeadline(left, operation: "confirming lock \(folder)") { [self] in
                    try await EtcdCluster.translated(folder, cluster) { try await renew() }
                }
            } catch let error as TopologyError where error.code == .lockLost {
                throw error
            } catch {
                try Task.checkCancellation()
                try await clock.sleep(for: max(.zero, min(Self.pause, self.left)))
            }
        }
    }

    private func renew() async throws {
        let begun = clock.now
        guard try await keepAlive() > 0 else { throw TopologyError.lockLost(folder, "its lease has ended") }
        let isQueued = state.withLock { $0.revision } > 0
        // Whoever removes the key gives the lock to the next, though the lease goes on.
        if isQueued, try await !isKeyThere() { throw TopologyError.lockLost(folder, "somebody has removed its key") }
        state.withLock { $0.confirmedAt = max($0.confirmedAt, begun) }
    }

    /// - Returns: seconds that the lease lives on; 0: it has ended.
    private func keepAlive() async throws -> Int64 {
        var request = Etcdserverpb_LeaseKeepAliveRequest()
        request.id = lease
        return try await cluster.ask(patiently: false, each: attemptLimit) { [request] client, options in
            try await Etcdserverpb_Lease.Client(wrapping: client).leaseKeepAlive(options: options) { writer in
                try await writer.write(request)
            } onResponse: { response in
                for try await message in response.messages { return message.ttl }
                throw RPCError(code: .unavailable, message: "the answer to a lease's renewal is missing")
            }
        }
    }

    private func isKeyThere() async throws -> Bool {
        var request = Etcdserverpb_RangeRequest()
        (request.key, request.countOnly) = (key, true)
        return try await cluster.ask(patiently: false, each: attemptLimit) { [request] client, options in
            try await Etcdserverpb_KV.Client(wrapping: client).range(request, options: options)
        }.count == 1
    }

    /// Gives the lock back; what etcd does not hear of ends with the lease.
    private func release(within limit: Duration) async {
        var request = Etcdserverpb_LeaseRevokeRequest()
        request.id = lease
        try? await withDeadline(limit, operation: "giving back lock \(folder)") { [cluster, request] in
            _ = try await cluster.ask { client, options in
                try await Etcdserverpb_Lease.Client(wrapping: client).leaseRevoke(request, options: options)
            }
        }
    }
}
