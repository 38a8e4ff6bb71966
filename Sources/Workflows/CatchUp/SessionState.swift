import Concurrency
import Logging
import MySQLControl
import Vocabulary

/// Deals with what a server has in memory only: rows of MEMORY tables, and the applier's temporary tables.
struct SessionState: Sendable {
    let clock: Clocks
    let limits: CatchUp.Limits
    let logger: Logger

    /// Before replication begins on a server that was just started: its MEMORY tables are empty now, and nobody shall be
    /// told so in the binary log.
    /// - Returns: these tables.
    /// - Throws: what the server answers.
    func settleMemoryTables(of server: any SessionBoundServer) async throws -> [TableName] {
        let tables = try await server.memoryTables()
        guard !tables.isEmpty else { return [] }
        logger.warning(
            "\(tables.count) MEMORY tables (\(Self.names(tables))) are in the backup without rows, as after any start of a server"
        )
        try await server.emptyUnlogged(tables)
        return tables
    }

    /// Lets the applier go on when it has stopped at a row that is not there, and may be one of a MEMORY table: these are
    /// left out from here on.
    /// - Parameter server: ours, with stopped replication.
    /// - Returns: the tables; empty: there are none, and the row is missing elsewhere.
    /// - Throws: what the server answers.
    func leaveOutMemoryTables(on server: any SessionBoundServer) async throws -> [TableName] {
        let tables = try await server.memoryTables()
        guard !tables.isEmpty else { return [] }
        logger.warning(
            "the primary has changed rows that are not there, as those of MEMORY tables are after a start: \(Self.names(tables)) are left out of replication for this pass"
        )
        try await server.leaveOut(tables)
        return tables
    }

    /// Sees that only what a start of the server empties is missing here.
    /// - Parameters:
    ///   - emptied: the MEMORY tables at the start, of which the primary has rows.
    ///   - tables: those of which rows were left out since.
    ///   - server: ours.
    /// - Throws: ``WorkflowError`` when something else may be missing.
    func check(emptied: [TableName], leftOut tables: [TableName], on server: any SessionBoundServer) async throws {
        let (memory, names) = (Set(try await server.memoryTables()), emptied)
        let changed = try await server.existing(names.filter { !memory.contains($0) })
        guard changed.isEmpty else {
            throw WorkflowError(
                .refused,
                "not taking backup: \(Self.names(changed)) had the engine MEMORY in the backup that this pass started from, and has another one now: the rows that the primary kept are not here; HINT: back up a replica, which has everything (vtctldclient Backup): passes go on from that one"
            )
        }
        guard !tables.isEmpty else { return }
        switch try await server.hasIgnoredChanges(of: tables) {
        case false?: return
        case nil:
            logger.warning(
                "this server cannot tell whether the primary has changed the definition of \(Self.names(tables)) meanwhile; HINT: if one of them is no MEMORY table any more, back up a replica: passes go on from that one"
            )
        case true?:
            throw WorkflowError(
                .refused,
                "not taking backup: while rows of the MEMORY tables \(Self.names(tables)) were left out, the primary has changed the definition of one, or other tables in the same statement; HINT: back up a replica, which has everything (vtctldclient Backup): passes go on from that one"
            )
        }
    }

    /// Waits until the applier of a replicating server holds no temporary tables.
    ///
    /// They are in no file: who goes on from a copy that was taken meanwhile is stopped by the next statement about one.
    /// - Throws: ``WorkflowError`` when there have been some for too long, or replication cannot go on.
    func waitForTemporaryTables(
        of server: any SessionBoundServer & ReplicatingServer,
        since begun: Duration
    ) async throws {
        var told = false
        while case let open = try await server.openTemporaryTables(), open > 0 {
            if !told {
                told = true
                logger.warning(
                    "the applier has \(open) temporary tables open for sessions of the primary: going on until there is none"
                )
            }
            if let failure = try await server.replicationStatus()?.permanentFailure {
                throw WorkflowError(.catchUp, failure)
            }
            guard clock.elapsed() - begun < limits.temporaryTables else {
                throw WorkflowError(
                    .refused,
                    "not taking backup: for \(GoDuration.text(seconds: limits.temporaryTables / .seconds(1))) the applier has had temporary tables open (\(open) now), which a backup cannot hold, so that no pass could go on from it; HINT: use binlog_format=ROW on the primary, or end the sessions that keep temporary tables for so long; the next pass tries again"
                )
            }
            try await clock.sleep(.seconds(1))
        }
    }

    private static let namesShown = 10

    private static func names(_ tables: [TableName]) -> String {
        let shown = tables.prefix(namesShown).map(\.description).joined(separator: ", ")
        return tables.count > namesShown ? "\(shown) and \(tables.count - namesShown) more" : shown
    }
}
