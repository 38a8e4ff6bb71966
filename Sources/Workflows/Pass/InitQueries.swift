import Concurrency
import Logging
import MySQLControl

/// Statements of the operator that run before the files are copied (`--init-backup-sql-queries`).
package struct InitQueries: Hashable, Sendable {
    package var statements: [String]
    package var timeout: Duration
    package var failOnError: Bool

    private static let cleanupLimit = Duration.seconds(30)

    /// Creates them; the command line has checked that there is a timeout and that type BACKUP is listed.
    package init(statements: [String], timeout: Duration, failOnError: Bool) {
        (self.statements, self.timeout, self.failOnError) = (statements, timeout, failOnError)
    }

    /// Runs them in order on one connection, outside the binary log: nothing here becomes an errant transaction.
    /// - Throws: ``WorkflowError`` if a failure is to fail the pass.
    func run(on server: any AdministeredServer, logger: Logger) async throws {
        let wasReadOnly = try await server.setSuperReadOnly(false)
        do {
            try await withCleanup {
                try await withDeadline(timeout, operation: "backup init SQL queries after \(timeout)") {
                    try await server.executeKillable(["SET sql_log_bin = 0"] + statements)
                }
            } cleanup: {
                guard wasReadOnly else { return }
                _ = try await withDeadline(Self.cleanupLimit, operation: "switching super_read_only on again") {
                    try await server.setSuperReadOnly(true)
                }
            }
        } catch {
            try Task.checkCancellation()
            guard failOnError else {
                logger.warning("failed to execute init SQL queries, going on without: \(error)")
                return
            }
            throw WorkflowError(
                .mysqld,
                "failed to execute backup init SQL queries: failed to execute init SQL queries and instructed to fail backup in this case",
                cause: error
            )
        }
    }
}
