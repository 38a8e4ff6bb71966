import Logging
import MySQLWire
package import Positions

extension RunningMysqld {
    /// The statements of this server.
    package var dialect: ReplicationDialect { ReplicationDialect(mysqld.installation.version) }

    /// Runs the `preflight_stop_slave` hook.
    /// - Throws: ``MysqldError``.
    package func announceStop() async throws {
        _ = try await mysqld.hooks.run("preflight_stop_slave")
    }

    /// Stops replication.
    ///
    /// The server ends what its applier has begun first, which may take hours: who calls this decides how long is too long.
    /// - Throws: ``MysqldError``.
    package func stopReplication() async throws {
        while true {
            do {
                return try await execute([dialect.stop], limit: Self.stopLimit)
            } catch let error as MysqldError {
                // Its own limit (rpl_stop_replica_timeout) was shorter; the threads go on stopping.
                guard let errno = (error.cause as? MySQLWireError)?.serverErrno, [1875, 1876].contains(errno) else {
                    throw error
                }
                try Task.checkCancellation()
            }
        }
    }

    private static let stopLimit = Duration.seconds(14 * 86_400)

    /// Forgets the source once replication is stopped for good: whoever starts a copy of this server must neither find a
    /// primary to follow nor the way in.
    /// - Throws: ``MysqldError``.
    package func dropSource() async throws {
        try await execute([dialect.stop, dialect.resetSource])
    }

    /// Forgets source, binary logs and GTIDs, and switches semi-sync off.
    /// - Throws: ``MysqldError``.
    package func resetReplication() async throws {
        let variables = try await query("SHOW VARIABLES LIKE 'rpl_semi_sync_%_enabled'").rows.compactMap {
            $0.first ?? nil
        }
        try await execute(dialect.reset(semiSyncVariables: variables))
    }

    /// Stops replication and forgets the source; the `preflight_stop_slave` hook runs before.
    ///
    /// A file copy of a replica brings its source along, and would connect to it.
    /// - Throws: ``MysqldError``.
    package func forgetSource() async throws {
        try await announceStop()
        try await dropSource()
    }

    /// Makes the server believe that it has executed exactly `position`; needless when it does already.
    /// - Throws: ``MysqldError``.
    package func setPosition(_ position: Position) async throws {
        try await execute(dialect.setPosition(position))
    }

    /// Stops, points at `source` and starts, on one connection.
    /// - Throws: ``MysqldError``.
    package func replicate(from source: ReplicationSource) async throws {
        try await execute([dialect.stop, dialect.setSource(source), dialect.start(source)])
    }

    /// The replica's status; `nil` when it has no source.
    /// - Throws: ``MysqldError``.
    package func replicationStatus() async throws -> ReplicationStatus? {
        var status = try ReplicationStatus(try await query(dialect.status), dialect: dialect)
        // With several workers the status only says that one of them failed.
        if status?.applier == .stopped, status?.lastApplierErrno != 0, dialect != .mariaDB,
            let worker = try await query(Self.workerError).scalar
        {
            status?.lastApplierError = StatementLog.withoutQuery(worker)
        }
        // What is idle says so; MariaDB has no table of its workers' transactions.
        if let running = status, running.applier == .running,
            !running.state.contains("has read all relay log") || dialect != .mariaDB
        {
            status?.work = try await appliedWork()
        }
        return status
    }

    /// Pages that InnoDB read, changed and wrote, while something is being applied; zero when nothing is.
    ///
    /// The status of a replica does not move for as long as one transaction lasts.
    private func appliedWork() async throws -> Int64 {
        if dialect == .modern || dialect == .mysql8026,
            try await query(Self.busyWorkers).scalar.flatMap({ Int($0) }) == 0
        {
            return 0
        }
        return try await query(Self.workCounters).rows.reduce(0) { $0 + (($1.last ?? nil).flatMap { Int64($0) } ?? 0) }
    }

    private static let busyWorkers = """
        SELECT IF(@@performance_schema, COUNT(*), 1) FROM performance_schema.replication_applier_status_by_worker \
        WHERE APPLYING_TRANSACTION <> ''
        """

    private static let workCounters = """
        SHOW GLOBAL STATUS WHERE Variable_name IN \
        ('Innodb_buffer_pool_write_requests', 'Innodb_data_read', 'Innodb_data_written')
        """

    private static let workerError = """
        SELECT LAST_ERROR_MESSAGE FROM performance_schema.replication_applier_status_by_worker \
        WHERE LAST_ERROR_NUMBER <> 0 LIMIT 1
        """

    /// Executed transactions.
    /// - Throws: ``MysqldError``.
    package func executedPosition() async throws -> Position {
        let logged = try await position(dialect.executedPosition)
        guard dialect == .mariaDB else { return logged }
        // What a filter drops, or is about a temporary table, is executed and not logged there; what the server has
        // written itself is only logged.
        guard case (.mariaDB(let logged), .mariaDB(let applied)) = (logged, try await position(Self.appliedPosition))
        else { return logged }
        return .mariaDB(applied.union(logged))
    }

    private static let appliedPosition = "SELECT @@GLOBAL.gtid_slave_pos"

    /// Transactions that are not in the binary logs any more; `nil` where the server does not know.
    /// - Throws: ``MysqldError``.
    package func purgedPosition() async throws -> Position? {
        guard let statement = dialect.purgedPosition else { return nil }
        return try await position(statement)
    }

    /// The server's UUID, empty where it has none.
    /// - Throws: ``MysqldError``.
    package func serverUUID() async throws -> String {
        guard let statement = dialect.serverUUID else { return "" }
        return try await query(statement).scalar ?? ""
    }

    private func position(_ statement: String) async throws -> Position {
        let text = try await query(statement).scalar ?? ""
        do {
            return try Position(text, flavor: dialect.flavor)
        } catch {
            throw MysqldError(.replication, "\(statement): \(error)")
        }
    }

    // MARK: Read-only

    /// Switches super_read_only; a server without the variable (MariaDB) is left as it is.
    /// - Returns: whether it was on before.
    /// - Throws: ``MysqldError``.
    @discardableResult
    package func setSuperReadOnly(_ on: Bool) async throws -> Bool {
        if dialect == .mariaDB { return false }
        let before = try await query("SELECT @@global.super_read_only").scalar
        try await execute(["SET GLOBAL super_read_only = '\(on ? "ON" : "OFF")'"])
        return before == "1" || before?.uppercased() == "ON"
    }

    // MARK: Redo log and shutdown

    /// Switches InnoDB's redo log (MySQL 8.0.21 and later).
    ///
    /// Off, a crash destroys the data directory.
    /// - Throws: ``MysqldError``.
    package func setRedoLog(enabled: Bool) async throws {
        // Switching it on writes every changed page first.
        try await execute(["ALTER INSTANCE \(enabled ? "ENABLE" : "DISABLE") INNODB REDO_LOG"], limit: .seconds(86_400))
    }

    /// The next shutdown purges and merges everything, so that a newer series can open the data.
    /// - Throws: ``MysqldError``.
    package func requestSlowShutdown() async throws {
        try await execute(["SET GLOBAL innodb_fast_shutdown=0"])
    }
}
