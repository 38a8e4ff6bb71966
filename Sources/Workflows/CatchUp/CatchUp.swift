import Concurrency
import Logging
import MySQLControl
import Positions
import SystemPackage
import Topology
import Vocabulary

/// Brings a restored server up to where the primary was when it was asked.
///
/// Judged by progress: what heals is waited for, what cannot heal ends the pass at once, and what stands still ends it in
/// bounded time. When the shard gets another primary, that one is followed.
struct CatchUp: Sendable {
    let primary: ShardPrimary
    let errant: ErrantTransactions
    /// User, password and TLS of replication; host and port come from the topology.
    let source: ReplicationSource
    /// Where mysqld writes.
    let disk: FilePath
    let progress: PassProgress
    let logger: Logger
    var limits = Limits()

    private var clock: Clocks { primary.clock }

    /// Starts replication, asks for the goal, waits until it is reached, and stops replication.
    /// - Throws: ``WorkflowError``.
    func run(on server: any ReplicaServer) async throws {
        let emptied = try await step(.mysqld, "cannot prepare MEMORY tables") {
            try await sessionState.settleMemoryTables(of: server)
        }
        let source = try await step(.catchUp, "error starting replication") { try await replicate(on: server) }
        var goal = try await primary.position(within: limits.primaryUnreachable, refusedFor: limits.noProgress)
        guard !goal.isEmpty else {
            throw WorkflowError(
                .refused,
                "not taking backup: the primary of \(primary.shard) has no GTID position, so that nobody could tell whether anything is missing; HINT: it needs gtid_mode=ON (MariaDB: log_bin) and at least one transaction"
            )
        }
        logger.info("takeBackup: primary position is: \(goal)")
        let outcome = try await progress.during(.catchupReplication) {
            try await wait(for: goal, from: source, on: server)
        }
        goal = outcome.goal
        try await finish(outcome, on: server)
        try await sessionState.check(emptied: emptied, leftOut: outcome.leftOut, on: server)
        let reached = try await step(.catchUp, "can't get replication status") { try await server.executedPosition() }
        guard reached.isAtLeast(goal) else {
            throw WorkflowError(
                .catchUp,
                "not taking backup: replication stopped at \(reached), before the goal \(goal)"
            )
        }
        logger.info("Replication caught up to \(reached)")
    }

    /// Stops replication at a moment when nothing is in memory only.
    private func finish(_ outcome: Wait, on server: any ReplicaServer) async throws {
        let begun = clock.elapsed()
        while true {
            try await sessionState.waitForTemporaryTables(of: server, since: begun)
            try await step(.catchUp, "can't stop replication") {
                try await server.announceStop()
                try await stop.run(on: server)
            }
            // Until it had stopped, it went on.
            if try await server.openTemporaryTables() == 0 { break }
            try await replicate(from: outcome.source, on: server)
        }
    }

    private var sessionState: SessionState { SessionState(clock: clock, limits: limits, logger: logger) }

    private var stop: ReplicationStop { ReplicationStop(clock: clock, limits: limits, logger: logger) }

    private func replicate(on server: any ReplicaServer) async throws -> TabletRecord {
        let tablet = try await primary.tablet(within: limits.primaryUnreachable)
        try await replicate(from: tablet, on: server)
        return tablet
    }

    private func replicate(from tablet: TabletRecord, on server: any ReplicaServer) async throws {
        var source = source
        (source.host, source.port) = (tablet.mysqlHostname, tablet.mysqlPort)
        let final = source
        try await step(.mysqld, "MysqlDaemon.SetReplicationSource failed") {
            try await withDeadline(limits.statements, operation: "starting replication") {
                try await server.replicate(from: final)
            }
        }
    }

    // MARK: Waiting

    /// What is known while waiting.
    private struct Wait {
        var goal: Position
        var source: TabletRecord
        var watch: ProgressWatch
        var refusals: RefusalWatch
        var lastStart: Duration
        var lastLook: Duration
        var total: Int64?
        /// Since something was applied.
        var restarts = 0
        var failovers = 0
        /// MEMORY tables that replication leaves out.
        var leftOut: [TableName] = []
    }

    /// - Returns: how it ended, with the goal that was reached; another primary may have another one.
    private func wait(
        for goal: Position,
        from source: TabletRecord,
        on server: any ReplicaServer
    ) async throws -> Wait {
        let now = clock.elapsed()
        var wait = Wait(
            goal: goal,
            source: source,
            watch: ProgressWatch(limit: limits.noProgress, now: now),
            refusals: RefusalWatch(patience: limits.noProgress),
            lastStart: now,
            lastLook: now
        )
        // Quick at first, so that an idle shard costs nothing; once a second when there is much to do.
        var pause = Duration.milliseconds(20)
        while true {
            do {
                if try await look(&wait, on: server) { return wait }
            } catch let error as WorkflowError {
                throw error
            } catch {
                try Task.checkCancellation()
                logger.error("can't get replication status: \(error)")
                wait.watch.note(reason: "its status cannot be read: \(error)")
            }
            if clock.elapsed() - wait.lastLook >= limits.topologyInterval { try await followPrimary(&wait, on: server) }
            guard !wait.watch.isStalled(at: clock.elapsed()) else { throw stalled(wait) }
            if clock.elapsed() - wait.watch.since >= limits.fullDisk, let space = nearlyFull(at: disk) {
                throw WorkflowError(
                    .space,
                    "\(space) is full, and replication waits for room (\(wait.watch.reason)); HINT: a pass needs as much as a tablet, and its relay logs"
                )
            }
            try await clock.sleep(pause)
            pause = min(pause * 2, .seconds(1))
        }
    }

    /// One look at the server, which starts replication again when it has stopped.
    /// - Returns: whether the goal is reached.
    private func look(_ wait: inout Wait, on server: any ReplicaServer) async throws -> Bool {
        // MariaDB does not answer at all while it waits for disk space.
        let answer = try await withDeadline(limits.status, operation: "reading the replica's status") {
            try await server.replicationStatus()
        }
        guard let status = answer else {
            wait.watch.note(reason: "it has lost its source")
            try await restart(&wait, "the server has lost its source", from: wait.source, on: server)
            return false
        }
        if status.position.isAtLeast(wait.goal) {
            if let total = wait.total { progress.transactions(remaining: 0, total: total) }
            return true
        }
        let remaining = Self.missing(from: status.position, to: wait.goal)
        let total = wait.total ?? remaining
        wait.total = total
        progress.transactions(remaining: remaining, total: total)
        if wait.watch.note(status, goal: wait.goal, at: clock.elapsed()) { (wait.restarts, wait.failovers) = (0, 0) }
        if let failure = status.permanentFailure {
            if try await leaveOutMemoryTables(status, &wait, on: server) { return false }
            var error = WorkflowError(.catchUp, failure)
            error.isOfTheBase = status.failureIsOfTheData
            throw error
        }
        if let refusal = status.refusal { return try await refused(&wait, refusal, status, on: server) }
        if status.receiver == .running { wait.refusals.end() }
        let reason = [status.lastReceiverError, status.lastApplierError].filter { !$0.isEmpty }.joined(separator: "; ")
        wait.watch.note(reason: reason.isEmpty ? status.state : reason)
        // Right after START both threads are on their way up.
        if status.receiver != .stopped, status.applier != .stopped { return false }
        if status.applier == .stopped, status.lastReceiverError.isEmpty {
            wait.restarts += 1
            guard wait.restarts <= limits.applierRestarts else {
                throw WorkflowError(
                    .catchUp,
                    "replication stopped: the applier stops again each time that it is started\(reason.isEmpty ? "" : ": \(reason)"); HINT: see the error log of this mysqld above, and whether somebody else administers it"
                )
            }
        }
        // From the same primary: going over to another one is decided in one place.
        try await restart(&wait, reason, from: wait.source, on: server)
        return false
    }

    /// The primary refuses us, and somebody may be about to lift it.
    private func refused(
        _ wait: inout Wait,
        _ refusal: String,
        _ status: ReplicationStatus,
        on server: any ReplicaServer
    ) async throws -> Bool {
        wait.watch.note(reason: refusal)
        // Its text counts the attempts.
        _ = wait.refusals.note(refusal, as: String(status.lastReceiverErrno), at: clock.elapsed(), logger)
        if status.receiver == .stopped, clock.elapsed() - wait.lastStart >= limits.refusedInterval {
            try await restart(&wait, refusal, from: wait.source, on: server)
        }
        return false
    }

    /// Goes on without MEMORY tables when the applier does not find a row.
    /// - Returns: whether it goes on.
    private func leaveOutMemoryTables(
        _ status: ReplicationStatus,
        _ wait: inout Wait,
        on server: any ReplicaServer
    ) async throws -> Bool {
        let rowNotFound = 1032
        guard status.applier != .running, status.lastApplierErrno == rowNotFound, wait.leftOut.isEmpty else {
            return false
        }
        try await stop.run(on: server)
        wait.leftOut = try await sessionState.leaveOutMemoryTables(on: server)
        guard !wait.leftOut.isEmpty else { return false }
        try await replicate(from: wait.source, on: server)
        return true
    }

    /// - Returns: whether it was started.
    @discardableResult
    private func restart(
        _ wait: inout Wait,
        _ reason: String,
        from tablet: TabletRecord,
        on server: any ReplicaServer
    ) async throws -> Bool {
        logger.warning(
            "replication has stopped before backup could be taken. trying to restart replication. \(reason)"
        )
        wait.lastStart = clock.elapsed()
        do {
            // The other thread may be in the middle of something.
            try await stop.run(on: server)
            try await replicate(from: tablet, on: server)
            wait.source = tablet
            return true
        } catch {
            try Task.checkCancellation()
            logger.error("Failed to restart replication: \(error)")
            wait.watch.note(reason: "it cannot be started: \(error)")
            return false
        }
    }

    private func stalled(_ wait: Wait) -> WorkflowError {
        WorkflowError(
            .catchUp,
            "replication from \(wait.source.alias) at \(wait.source.mysqlHostname):\(wait.source.mysqlPort) has made no progress for \(GoDuration.text(seconds: limits.noProgress / .seconds(1))): \(wait.watch.reason.isEmpty ? "nothing arrives and nothing is applied" : wait.watch.reason); HINT: nothing was changed, the next pass starts from the newest complete backup again"
        )
    }

    // MARK: Failover

    /// Goes over to another primary when the topology names one that answers.
    private func followPrimary(_ wait: inout Wait, on server: any ReplicaServer) async throws {
        wait.lastLook = clock.elapsed()
        let (tablet, position): (TabletRecord, Position)
        do {
            tablet = try await primary.tablet()
            let old = wait.source
            guard
                (tablet.alias, tablet.mysqlHostname, tablet.mysqlPort) != (old.alias, old.mysqlHostname, old.mysqlPort)
            else { return }
            position = try await primary.position(of: tablet)
        } catch {
            try Task.checkCancellation()
            logger.warning("cannot tell whether \(primary.shard) has another primary now: \(error)")
            return
        }
        logger.warning(
            "the primary of \(primary.shard) is now \(tablet.alias) at \(tablet.mysqlHostname):\(tablet.mysqlPort), no longer \(wait.source.alias): following it"
        )
        let mine = try await step(.catchUp, "can't get replication status") { try await server.executedPosition() }
        if let refusal = try await errant.refusal(of: mine, what: "this server", primary: position) {
            throw WorkflowError(
                .catchUp,
                "not taking backup: \(refusal), so they were lost with the old primary; HINT: nothing was changed, the next pass starts from a backup without them"
            )
        }
        if let lost = wait.goal.errant(against: position), !lost.isEmpty {
            logger.warning("the new primary does not have \(lost.text), the goal is now \(position)")
            (wait.goal, wait.total) = (position, nil)
        }
        wait.failovers += 1
        // A topology that names one primary and another in turn must not keep us for ever.
        if try await restart(&wait, "the primary has changed", from: tablet, on: server),
            wait.failovers <= limits.failovers
        {
            wait.watch.restart(at: clock.elapsed())
        }
    }

    private static func missing(from position: Position, to goal: Position) -> Int64 {
        if case (.mysql56(let mine), .mysql56(let theirs)) = (position, goal) { return theirs.subtracting(mine).count }
        return 0
    }
}
