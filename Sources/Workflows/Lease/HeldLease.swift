import Concurrency
import FoundationEssentials
import Logging
import Storage
import Synchronization
import Topology
import Vocabulary

/// A lease that we hold, and what is marked with it.
package final class HeldLease: Sendable {
    private struct State {
        var record: LeaseRecord
        var version: String
        var renewedAt: Duration
        /// The backup that is being written.
        var backup: String?
        var isLost = false
    }

    private let storage: any BackupStorage
    private let shard: ShardPath
    private let timing: ShardLease.Timing
    private let clock: Clocks
    private let renewalClock: Clocks
    private let logger: Logger
    /// Held beside the lease.
    private let lock: (any TopologyLock)?
    private let state: Mutex<State>
    /// One renewal at a time: two would conflict with each other.
    private let turn = Slots(count: 1)

    init(
        storage: any BackupStorage,
        shard: ShardPath,
        timing: ShardLease.Timing,
        clock: Clocks,
        renewalClock: Clocks,
        logger: Logger,
        lock: (any TopologyLock)?,
        record: LeaseRecord,
        version: String
    ) {
        self.lock = lock
        (self.storage, self.shard, self.timing, self.logger) = (storage, shard, timing, logger)
        (self.clock, self.renewalClock) = (clock, renewalClock)
        state = Mutex(State(record: record, version: version, renewedAt: clock.elapsed()))
    }

    /// Who we are.
    var holder: LeaseHolder { state.withLock { $0.record.holder } }

    /// Renews until cancelled.
    /// - Throws: ``WorkflowError`` with code `lease` when another pass has taken it, or it could not be renewed in time.
    func keep() async throws {
        while true {
            try await renewalClock.sleep(timing.interval)
            do {
                try await renew()
            } catch let error as WorkflowError {
                throw error
            } catch {
                try Task.checkCancellation()
                let age = clock.elapsed() - state.withLock { $0.renewedAt }
                guard age + timing.margin < timing.lifetime else { throw lost("it could not be renewed", error) }
                logger.warning("cannot renew the lease of shard \(shard), trying again: \(error)")
            }
        }
    }

    /// Sees that the lease does not end while a renewal hangs.
    /// - Throws: ``WorkflowError`` with code `lease`.
    func watch() async throws {
        while true {
            try await renewalClock.sleep(timing.interval / 4)
            guard !isOver else {
                throw lost("it could not be renewed in time", DeadlineExceeded(operation: "renewing it"))
            }
        }
    }

    /// Whether another pass may take it soon, as far as our own clock tells.
    private var isOver: Bool { clock.elapsed() - state.withLock { $0.renewedAt } + timing.margin >= timing.lifetime }

    /// Makes sure that neither lease nor lock ended while something was done that began under it.
    /// - Throws: ``WorkflowError`` with code `lease`.
    func confirmStillHeld() throws {
        if lock?.mayBeOver == true {
            throw ClusterLock.lost(TopologyError(.lockLost, "the lock of shard \(shard) ended during the commit"))
        }
        guard isOver else { return }
        throw lost("it ended during the commit", DeadlineExceeded(operation: "the commit"))
    }

    /// Makes sure that the lease, and the lock beside it, is ours now: the last thing before a commit.
    ///
    /// Storage that fails for a moment is asked again for as long as the lease lasts.
    /// - Throws: ``WorkflowError`` with code `lease`.
    func confirm() async throws {
        try await confirmLease()
        // Last: a lock in the topology lives shorter than the lease.
        do {
            try await lock?.confirm()
        } catch let error as TopologyError {
            throw ClusterLock.lost(error)
        }
    }

    private func confirmLease() async throws {
        while true {
            do {
                return try await renew()
            } catch let error as WorkflowError {
                throw error
            } catch {
                try Task.checkCancellation()
                guard !isOver else { throw lost("it could not be confirmed", error) }
                logger.warning("cannot confirm the lease of shard \(shard), trying again: \(error)")
                try await clock.sleep(timing.retryPause)
            }
        }
    }

    /// Marks the folder of an unfinished backup as ours, so that a later pass can tell what a dead one left.
    func mark(_ backup: String) async throws {
        state.withLock { $0.backup = backup }
        try await writeMark()
    }

    /// Marks no backup any more: what is removed must not be written to by a renewal.
    /// - Throws: `CancellationError`.
    func stopMarking() async throws {
        state.withLock { $0.backup = nil }
        // A renewal that is on its way may still write.
        try await turn.acquire(1)
        turn.release(1)
    }

    /// Takes the mark from a backup that is complete.
    func unmark(_ backup: String) async {
        do {
            try await stopMarking()
            try await storage.removeNote(at: Note.Place(.lease, of: shard, backup: backup), expecting: .anything)
        } catch {
            // Beside a MANIFEST it means nothing.
            logger.warning("cannot remove the mark of an unfinished backup from \(shard)/\(backup): \(error)")
        }
    }

    private func renew() async throws {
        try await turn.acquire(1)
        defer { turn.release(1) }
        let (next, version) = state.withLock { state in
            var next = state.record
            next.renewed = clock.now()
            return (next, state.version)
        }
        let begun = clock.elapsed()
        do {
            let written = try await storage.writeNote(
                try next.encoded(),
                at: Note.Place(.lease, of: shard),
                expecting: .version(version)
            )
            state.withLock { ($0.record, $0.version, $0.renewedAt) = (next, written, begun) }
        } catch let error as StorageError where error.code == .conflict {
            // A write that was reported as failed may have happened.
            guard let note = try await storage.note(at: Note.Place(.lease, of: shard)),
                let record = LeaseRecord(note.bytes), record.holder == next.holder
            else { throw lost("another pass has taken it over", error) }
            // It is ours, as an earlier write left it: written anew, so that it says when.
            var fresh = record
            fresh.renewed = next.renewed
            let written = try await storage.writeNote(
                try fresh.encoded(),
                at: Note.Place(.lease, of: shard),
                expecting: .version(note.version)
            )
            state.withLock { ($0.record, $0.version, $0.renewedAt) = (fresh, written, begun) }
        }
        do {
            try await writeMark()
        } catch {
            // The lease is what counts; the mark only tells a later pass how old the folder is.
            logger.warning("cannot renew the mark of an unfinished backup of shard \(shard): \(error)")
        }
    }

    private func writeMark() async throws {
        let (record, backup) = state.withLock { ($0.record, $0.backup) }
        guard let backup else { return }
        do {
            _ = try await storage.writeNote(
                try record.encoded(),
                at: Note.Place(.lease, of: shard, backup: backup),
                expecting: .anything
            )
        } catch let error as StorageError where error.code == .notFound {
            // It was aborted just now.
        }
    }

    private func lost(_ reason: String, _ error: any Error) -> WorkflowError {
        state.withLock { $0.isLost = true }
        return WorkflowError(
            .lease,
            "the lease of shard \(shard) is lost: \(reason); nothing is committed any more; HINT: see which other pass runs, and whether storage answered",
            cause: error
        )
    }

    /// Gives it back; what cannot be removed ends by itself.
    func release() async {
        let (version, isLost) = state.withLock { ($0.version, $0.isLost) }
        guard !isLost else { return }
        do {
            try await withDeadline(.seconds(30), operation: "giving back the lease of shard \(shard)") {
                [storage, shard] in
                try await storage.removeNote(at: Note.Place(.lease, of: shard), expecting: .version(version))
            }
        } catch {
            logger.warning("cannot give back the lease of shard \(shard), it ends by itself: \(error)")
        }
    }
}
