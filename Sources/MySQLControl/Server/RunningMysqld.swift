import Logging
package import MySQLWire
import Streams
import SystemPackage

/// A mysqld while it runs: statements over its socket. Lives in the scope of ``Mysqld/withServer``.
package struct RunningMysqld: Sendable {
    package let mysqld: Mysqld
    private let administrator: MySQLConnection.Credentials

    init(mysqld: Mysqld, administrator: MySQLConnection.Credentials) {
        (self.mysqld, self.administrator) = (mysqld, administrator)
    }

    /// Runs `body` with an administrator's connection.
    /// - Throws: ``MySQLWireError``, or what `body` throws.
    package func withConnection<Result: Sendable>(
        _ body: (MySQLConnection) async throws -> Result
    ) async throws -> Result {
        try await MySQLConnection.with(mysqld.connection(administrator), on: mysqld.eventLoops, body)
    }

    /// Runs statements in order on one connection; stops at the first that fails.
    /// - Throws: ``MysqldError`` with code `statement`. Passwords in the statement are masked.
    package func execute(_ statements: [String]) async throws {
        try await withConnection { connection in
            for statement in statements {
                let shown = StatementLog.masked(statement)
                mysqld.logger.debug("exec \(shown)")
                do {
                    _ = try await connection.query(statement)
                } catch let error as MySQLWireError {
                    throw MysqldError(.statement, "ExecuteFetch(\(shown)) failed", cause: error)
                }
            }
        }
    }

    /// Runs one statement that asks for something.
    /// - Throws: ``MysqldError`` with code `statement`.
    package func query(_ statement: String) async throws -> ResultSet {
        try await withConnection { connection in
            do {
                return try await connection.query(statement)
            } catch let error as MySQLWireError {
                throw MysqldError(.statement, "ExecuteFetch(\(StatementLog.masked(statement))) failed", cause: error)
            }
        }
    }

    /// The text of the running server that a manifest carries: `Ver 9.7.4 MySQL Community Server - GPL`.
    package func versionText() async throws -> String {
        try await query("select concat('Ver ', @@global.version, ' ', @@global.version_comment) as version").scalar
            ?? ""
    }

    // MARK: Start and stop

    /// Waits until the administrator can log in.
    /// - Throws: ``MysqldError`` with code `start` when the time is up, or when logging in is refused for good.
    func waitUntilReady(limit: Duration) async throws {
        let clock = ContinuousClock()
        let end = clock.now.advanced(by: limit)
        var lastReason = "the socket did not appear"
        while clock.now < end {
            if try FileTree.status(mysqld.configuration.socket) != nil {
                do {
                    return try await withConnection { _ in }
                } catch let error as MySQLWireError {
                    if error.serverErrno == 1045 {
                        throw MysqldError(
                            .start,
                            "mysqld refuses \(administrator.user); HINT: check --db-dba-user, --db-dba-password and the users that the init SQL or the backup holds",
                            cause: error
                        )
                    }
                    lastReason = "\(error)"
                }
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw MysqldError(
            .start,
            "deadline exceeded waiting for mysqld socket file to appear: \(mysqld.configuration.socket) (\(lastReason))\n\(ErrorLogTail.text(mysqld.directory.errorLog))"
        )
    }

    /// Asks the server to shut down; it ends some time after.
    func requestShutdown() async throws {
        do {
            _ = try await withConnection { try await $0.query("SHUTDOWN") }
        } catch let error as MySQLWireError where error.code == .connectionLost {
            // It may close the connection before it answers.
        }
    }

    /// Waits until socket and pid file are gone, which is the last that a server does before it exits.
    /// - Throws: ``DeadlineExceeded``.
    func waitUntilGone(limit: Duration) async throws {
        let clock = ContinuousClock()
        let end = clock.now.advanced(by: limit)
        while try FileTree.status(mysqld.configuration.socket) != nil
            || FileTree.status(mysqld.directory.pidFile) != nil
        {
            guard clock.now < end else {
                throw DeadlineExceeded(
                    operation: "socket \(mysqld.configuration.socket) and pid file still there after \(limit)"
                )
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

extension RunningMysqld {
    /// The same server, with another administrator.
    func administered(by credentials: MySQLConnection.Credentials) -> RunningMysqld {
        RunningMysqld(mysqld: mysqld, administrator: credentials)
    }
}
