import Concurrency
import Logging
import Positions
import Topology
import Vocabulary

/// The shard's primary as the topology names it at this moment, and what it says of its position.
struct ShardPrimary: Sendable {
    let shard: ShardPath
    let topology: ShardTopology
    let tablets: any PrimaryTablet
    let clock: Clocks
    let logger: Logger

    private static let longestRetryDelay = Duration.seconds(30)

    /// The record of the present primary, in one attempt.
    /// - Throws: ``PrimaryError`` when the topology knows none that can be replicated from; ``WorkflowError`` when it does
    ///   not answer.
    func tablet() async throws -> TabletRecord {
        let record = try await read("can't read shard") { try await topology.shard(shard) }
        guard let alias = record.primary else {
            throw PrimaryError(
                "can't start replication after restore: shard \(shard) has no primary; HINT: see --init-keyspace and --init-shard, or make one"
            )
        }
        let tablet = try await read("Cannot read primary tablet \(alias)") { try await topology.tablet(alias) }
        guard !tablet.mysqlHostname.isEmpty, (1...65_535).contains(tablet.mysqlPort) else {
            throw PrimaryError(
                "primary tablet \(alias) of shard \(shard) does not have mysql hostname and port specified, possibly because that tablet has been shut down."
            )
        }
        return tablet
    }

    private func read<Record>(_ failing: String, _ body: () async throws -> Record) async throws -> Record {
        do {
            return try await step(.topology, failing, body)
        } catch let error as WorkflowError {
            // The topology answers, and there is no such record.
            guard (error.cause as? TopologyError)?.code == .noNode else { throw error }
            throw PrimaryError("\(error)")
        }
    }

    /// The position of this tablet, in one attempt.
    /// - Throws: any error; ``PrimaryError`` when asking again cannot help.
    func position(of tablet: TabletRecord) async throws -> Position {
        try await tablets.position(of: tablet)
    }

    /// What this tablet's binary logs no longer hold; `nil`: it cannot be told, and shows when replication starts.
    func purgedPosition(of tablet: TabletRecord) async -> Position? {
        do {
            return try await tablets.purgedPosition(of: tablet)
        } catch {
            logger.info("cannot tell which binary logs \(tablet.alias) has purged: \(error)")
            return nil
        }
    }

    /// How long one and the same refusal is taken for one that somebody is about to lift: a grant may be on its way.
    static let refusalPatience = Duration.seconds(60)

    /// Asks until there is an answer, reading the topology again each time.
    /// - Parameters:
    ///   - limit: how long without an answer.
    ///   - patience: how long with one and the same refusal, which no waiting heals.
    /// - Returns: the position that it answers with.
    /// - Throws: ``WorkflowError`` when the primary refuses for good or the time is up.
    func position(within limit: Duration, refusedFor patience: Duration = refusalPatience) async throws -> Position {
        try await persist("can't get primary replication position of shard \(shard)", within: limit, patience) {
            try await position(of: try await tablet())
        }
    }

    /// The present primary, asked for until the topology answers with one.
    /// - Throws: ``WorkflowError`` when the time is up.
    func tablet(within limit: Duration) async throws -> TabletRecord {
        try await persist("can't read the primary of shard \(shard)", within: limit, limit) { try await tablet() }
    }

    private func persist<Answer>(
        _ failing: String,
        within limit: Duration,
        _ patience: Duration,
        _ ask: () async throws -> Answer
    ) async throws -> Answer {
        let begun = clock.elapsed()
        var delay = Duration.seconds(1)
        var refusals = RefusalWatch(patience: patience)
        while true {
            let failure: any Error
            do {
                return try await ask()
            } catch let error as PrimaryError {
                if refusals.note(error.description, at: clock.elapsed(), logger) {
                    throw WorkflowError(.catchUp, error.description)
                }
                failure = error
            } catch {
                try Task.checkCancellation()
                refusals.end()
                failure = error
            }
            // The passes of many shards, which lost a primary at the same moment, ask at different ones.
            let wait = delay * clock.jitter()
            guard clock.elapsed() - begun + wait < limit else {
                throw WorkflowError(
                    .topology,
                    "\(failing) in \(GoDuration.text(seconds: limit / .seconds(1))); HINT: see that the primary named in the topology runs and can be reached from here",
                    cause: failure
                )
            }
            logger.error("\(ContractLog.waitingToRetry(delay, failure))")
            try await clock.sleep(wait)
            delay = min(delay * 2, Self.longestRetryDelay)
        }
    }

    /// The positions of the other tablets that can be reached in a few seconds.
    func replicaPositions() async -> [(tablet: TabletRecord, position: Position)] {
        guard let tablets = try? await topology.tablets(of: shard) else { return [] }
        let replicas = tablets.found.filter { $0.kind != .primary && !$0.mysqlHostname.isEmpty }
        return await withTaskGroup(of: (TabletRecord, Position)?.self) { group in
            for tablet in replicas {
                // At once: one that does not answer must not keep us from the others.
                group.addTask {
                    try? await withDeadline(.seconds(5), operation: "asking \(tablet.alias) for its position") {
                        (tablet, try await position(of: tablet))
                    }
                }
            }
            var answers: [(TabletRecord, Position)] = []
            for await case let answer? in group { answers.append(answer) }
            return answers.sorted { $0.0.alias < $1.0.alias }
        }
    }
}
