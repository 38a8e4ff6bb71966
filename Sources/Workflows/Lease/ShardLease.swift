package import Concurrency
import FoundationEssentials
package import Logging
package import Storage
import Synchronization
import Topology
package import Vocabulary

/// Keeps two passes from working on one shard at once.
///
/// The lease is a note beside the shard's backups. A pass that cannot renew it stops before another one may take it over,
/// and whoever committed nothing by then never does: the commit renews it first.
package struct ShardLease: Sendable {
    /// How long a lease lasts and how it is kept.
    package struct Timing: Sendable {
        /// Without renewal it is over.
        package var lifetime = Duration.seconds(120)
        /// Between renewals.
        package var interval = Duration.seconds(20)
        /// Left of the lifetime when the holder stops for its own part.
        package var margin = Duration.seconds(30)
        /// Between attempts to renew it before a commit.
        package var retryPause = Duration.seconds(1)

        /// Creates the default.
        package init() {}
    }

    private let storage: any BackupStorage
    private let shard: ShardPath
    private let holder: LeaseHolder
    private let clusterLock: ClusterLock?
    private let timing: Timing
    private let clock: Clocks
    private let renewalClock: Clocks
    private let logger: Logger

    /// A lease of `shard` in `storage`, which should have threads of its own: renewals must not wait for an upload.
    ///
    /// With a `clusterLock` that is held too, around the lease. `renewalClock` is for what waits beside the pass; it is `clock` unless the pass's own waiting makes the time go on.
    package init(
        storage: any BackupStorage,
        shard: ShardPath,
        holder: LeaseHolder,
        clusterLock: ClusterLock? = nil,
        timing: Timing = Timing(),
        clock: Clocks,
        renewalClock: Clocks? = nil,
        logger: Logger
    ) {
        (self.storage, self.shard, self.holder, self.timing) = (storage, shard, holder, timing)
        self.clusterLock = clusterLock
        (self.clock, self.renewalClock, self.logger) = (clock, renewalClock ?? clock, logger)
    }

    /// Takes the lease, runs `body`, and gives it back.
    ///
    /// `body` is cancelled when the lease is lost.
    /// - Throws: ``WorkflowError`` with code `refused` when another pass holds it, `lease` when it was lost; else what
    ///   `body` throws.
    func hold<Result: Sendable>(_ body: @escaping @Sendable (HeldLease) async throws -> Result) async throws -> Result {
        guard let clusterLock else { return try await holdLease(beside: nil, body) }
        return try await clusterLock.hold { lock in try await holdLease(beside: lock, body) }
    }

    private func holdLease<Result: Sendable>(
        beside lock: (any TopologyLock)?,
        _ body: @escaping @Sendable (HeldLease) async throws -> Result
    ) async throws -> Result {
        let held: HeldLease
        do {
            held = try await take(beside: lock)
        } catch let error as WorkflowError {
            throw error
        } catch {
            try Task.checkCancellation()
            throw WorkflowError(.storage, "cannot take the lease of shard \(shard)", cause: error)
        }
        return try await withCleanup {
            // Renewing may hang in storage: the watch looks at the clock only. Either cancels the work when the lease is lost.
            try await withHelpers([{ try await held.keep() }, { try await held.watch() }]) { try await body(held) }
        } cleanup: {
            await held.release()
        }
    }

    private func take(beside lock: (any TopologyLock)?) async throws -> HeldLease {
        let place = Note.Place(.lease, of: shard)
        var expecting = Note.Expectation.nothing
        if let note = try await storage.note(at: place) {
            // What is no record of ours is nobody's lease.
            if let record = LeaseRecord(note.bytes) { try await waitForEnd(of: record, note) }
            logger.warning(
                "taking over the lease of shard \(shard) from \(LeaseRecord(note.bytes).map { "\($0.holder.description), who last renewed it at \(BackupTimestamp.rfc3339($0.renewed))" } ?? "something that is no lease")"
            )
            expecting = .version(note.version)
        }
        let record = LeaseRecord(holder: holder, since: clock.now(), lifetime: timing.lifetime / .seconds(1))
        do {
            let version = try await storage.writeNote(try record.encoded(), at: place, expecting: expecting)
            return HeldLease(
                storage: storage,
                shard: shard,
                timing: timing,
                clock: clock,
                renewalClock: renewalClock,
                logger: logger,
                lock: lock,
                record: record,
                version: version
            )
        } catch let error as StorageError where error.code == .conflict {
            if let note = try await storage.note(at: place), let record = LeaseRecord(note.bytes) {
                throw refusal(record)
            }
            throw WorkflowError(.refused, "another pass is just taking the lease of shard \(shard); HINT: run again")
        }
    }

    /// Returns when the holder is surely gone.
    ///
    /// Times in a record are another machine's: they tell whether waiting is worth it, never that the holder is dead. Only
    /// a lease that nobody renewed for all its lifetime, by our own clock, is over: its holder has stopped by then.
    /// - Throws: ``WorkflowError`` with code `refused`.
    private func waitForEnd(of record: LeaseRecord, _ note: Note) async throws {
        if record.holder.isDead(seenFrom: holder) { return }
        let now = clock.now()
        // Renewed in the future: one of the two clocks is wrong, and the other pass may have ended long ago.
        guard record.expiry < now || record.renewed > now.addingTimeInterval(record.lifetime) else {
            throw refusal(record)
        }
        logger.warning(
            "shard \(shard) was being worked on by \(record.holder.description), who last renewed the lease at \(BackupTimestamp.rfc3339(record.renewed)): taking it over unless it is renewed within \(GoDuration.text(seconds: record.lifetime))"
        )
        let begun = clock.elapsed()
        while clock.elapsed() - begun < .seconds(record.lifetime) {
            try await clock.sleep(min(timing.interval / 4, .seconds(record.lifetime)))
            let present: Note?
            do {
                present = try await storage.note(at: Note.Place(.lease, of: shard))
            } catch {
                try Task.checkCancellation()
                // It must be seen unchanged at the end, in any case.
                guard clock.elapsed() - begun < .seconds(record.lifetime) else { throw error }
                logger.warning("cannot read the lease of shard \(shard), looking again: \(error)")
                continue
            }
            guard let present, present.version == note.version else {
                throw WorkflowError(
                    .refused,
                    "shard \(shard) is being worked on by another pass, which has just renewed its lease or given it back; HINT: run again later, and see whether the clocks of the machines agree"
                )
            }
        }
    }

    private func refusal(_ record: LeaseRecord) -> WorkflowError {
        WorkflowError(
            .refused,
            "shard \(shard) is being worked on by \(record.holder.description) since \(BackupTimestamp.rfc3339(record.since)), last renewed at \(BackupTimestamp.rfc3339(record.renewed)); HINT: wait until it has ended; if it is dead its lease ends by itself at \(BackupTimestamp.rfc3339(record.expiry))"
        )
    }
}
