import Catalog
import Logging
import MySQLControl
import Positions
import Streams
import Topology

/// Brings a restored server up to where the primary was when it was asked.
struct CatchUp: Sendable {
    let shard: ShardPath
    let topology: ShardTopology
    let primary: any PrimaryTablet
    /// User, password and TLS of replication; host and port come from the topology.
    let source: ReplicationSource
    let progress: PassProgress
    let logger: Logger

    /// The same error of reading the status for so long ends the pass.
    private static let statusErrorLimit = Duration.seconds(60)
    private static let longestRetryDelay = Duration.seconds(30)

    /// Starts replication, asks for the goal, waits until it is reached, and stops replication.
    /// - Throws: ``WorkflowError``.
    func run(on server: RunningMysqld) async throws {
        try await step(.catchUp, "error starting replication") { try await startReplication(on: server) }
        let goal = try await primaryPosition()
        logger.info("takeBackup: primary position is: \(goal)")
        try await progress.during(.catchupReplication) { try await wait(for: goal, on: server) }
        try await step(.catchUp, "can't stop replication") { try await server.stopReplication() }
        let reached = try await step(.catchUp, "can't get replication status") { try await server.executedPosition() }
        guard reached.isAtLeast(goal) else {
            throw WorkflowError(
                .catchUp,
                "not taking backup: replication stopped at \(reached), before the goal \(goal)"
            )
        }
        logger.info("Replication caught up to \(reached)")
    }

    // MARK: Source

    private func primaryTablet() async throws -> TabletRecord {
        let record = try await step(.topology, "can't read shard") { try await topology.shard(shard) }
        guard let alias = record.primary else {
            throw WorkflowError(.topology, "can't start replication after restore: shard \(shard) has no primary")
        }
        let tablet = try await step(.topology, "Cannot read primary tablet \(alias)") {
            try await topology.tablet(alias)
        }
        guard !tablet.mysqlHostname.isEmpty, (1...65_535).contains(tablet.mysqlPort) else {
            throw WorkflowError(
                .topology,
                "primary tablet \(alias) of shard \(shard) does not have mysql hostname and port specified, possibly because that tablet has been shut down."
            )
        }
        return tablet
    }

    private func startReplication(on server: RunningMysqld) async throws {
        let tablet = try await primaryTablet()
        var source = source
        (source.host, source.port) = (tablet.mysqlHostname, tablet.mysqlPort)
        try await step(.mysqld, "MysqlDaemon.SetReplicationSource failed") { try await server.replicate(from: source) }
    }

    /// Asks until there is an answer, reading the topology again each time.
    private func primaryPosition() async throws -> Position {
        var delay = Duration.seconds(1)
        while true {
            do {
                return try await primary.position(of: try await primaryTablet())
            } catch let error as PrimaryError {
                throw WorkflowError(.catchUp, "\(error)")
            } catch {
                try Task.checkCancellation()
                logger.info("\(ContractLog.waitingToRetry(delay, error))")
            }
            try await Task.sleep(for: delay)
            delay = min(delay * 2, Self.longestRetryDelay)
        }
    }

    // MARK: Waiting

    private func wait(for goal: Position, on server: RunningMysqld) async throws {
        var total: Int64?
        var statusError: (text: String, since: ContinuousClock.Instant)?
        // Quick at first, so that an idle shard costs nothing; once a second when there is much to do.
        var pause = Duration.milliseconds(20)
        while true {
            do {
                let status = try await server.replicationStatus()
                if let status {
                    if status.position.isAtLeast(goal) {
                        if let total { progress.transactions(remaining: 0, total: total) }
                        return
                    }
                    let remaining = Self.missing(from: status.position, to: goal)
                    total = total ?? remaining
                    progress.transactions(remaining: remaining, total: total ?? remaining)
                    if let failure = status.permanentFailure { throw WorkflowError(.catchUp, failure) }
                }
                if status?.isHealthy == true {
                    statusError = nil
                } else if try await restart(status, on: server) {
                    throw MysqldError(.replication, "replication has stopped")
                }
            } catch let error as WorkflowError {
                throw error
            } catch {
                try Task.checkCancellation()
                statusError = try noted(error, after: statusError)
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(1))
        }
    }

    /// - Returns: whether replication had stopped and was started again.
    private func restart(_ status: ReplicationStatus?, on server: RunningMysqld) async throws -> Bool {
        // Right after START both threads are on their way up.
        if let status, status.lastReceiverError.isEmpty, status.lastApplierError.isEmpty, status.receiver != .stopped {
            return false
        }
        let reason = [status?.lastReceiverError, status?.lastApplierError].compactMap { $0 }.filter { !$0.isEmpty }
            .joined(separator: "; ")
        logger.warning(
            "replication has stopped before backup could be taken. trying to restart replication. \(reason)"
        )
        do {
            try await startReplication(on: server)
        } catch {
            try Task.checkCancellation()
            logger.error("Failed to restart replication: \(error)")
        }
        return true
    }

    private func noted(
        _ error: any Error,
        after previous: (text: String, since: ContinuousClock.Instant)?
    ) throws -> (text: String, since: ContinuousClock.Instant) {
        let now = ContinuousClock.now
        let text = "\(error)"
        logger.error("can't get replication status: \(text)")
        guard let previous, previous.text == text else { return (text, now) }
        if now - previous.since > Self.statusErrorLimit {
            throw WorkflowError(.catchUp, "timeout waiting for replication status after 60 seconds", cause: error)
        }
        return previous
    }

    private static func missing(from position: Position, to goal: Position) -> Int64 {
        if case (.mysql56(let mine), .mysql56(let theirs)) = (position, goal) { return theirs.subtracting(mine).count }
        return 0
    }
}
