import Catalog
import Logging
import Positions
import Streams
import Topology

/// The shard's primary as the topology names it at this moment, and what it says of its position.
struct ShardPrimary: Sendable {
    let shard: ShardPath
    let topology: ShardTopology
    let tablets: any PrimaryTablet
    let clock: PassClock
    let logger: Logger

    private static let longestRetryDelay = Duration.seconds(30)

    /// The record of the present primary.
    /// - Throws: ``WorkflowError`` when there is none, or nobody can connect to it.
    func tablet() async throws -> TabletRecord {
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

    /// Asks until there is an answer, reading the topology again each time.
    /// - Parameter limit: how long without an answer.
    /// - Returns: the position that it answers with.
    /// - Throws: ``WorkflowError`` when the primary refuses for good or the time is up.
    func position(within limit: Duration) async throws -> Position {
        let begun = clock.elapsed()
        var delay = Duration.seconds(1)
        while true {
            let failure: any Error
            do {
                return try await position(of: try await tablet())
            } catch let error as PrimaryError {
                throw WorkflowError(.catchUp, "\(error)")
            } catch {
                try Task.checkCancellation()
                failure = error
            }
            // The passes of many shards, which lost a primary at the same moment, ask at different ones.
            let wait = delay * clock.jitter()
            guard clock.elapsed() - begun + wait < limit else {
                throw WorkflowError(
                    .topology,
                    "can't get primary replication position of shard \(shard) in \(GoDuration.text(seconds: limit / .seconds(1))); HINT: see that the primary named in the topology runs and can be reached from here",
                    cause: failure
                )
            }
            logger.info("\(ContractLog.waitingToRetry(delay, failure))")
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
