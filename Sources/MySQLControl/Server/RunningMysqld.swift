import Concurrency
import Host
import Logging
package import MySQLWire
import Synchronization
import SystemPackage

/// A mysqld while it runs: statements over its socket.
///
/// Lives in the scope of ``Mysqld/withServer``.
package struct RunningMysqld: Sendable {
    package let mysqld: Mysqld
    private let administrator: MySQLConnection.Credentials

    init(mysqld: Mysqld, administrator: MySQLConnection.Credentials) {
        (self.mysqld, self.administrator) = (mysqld, administrator)
    }

    /// Runs `body` with an administrator's connection, whose session is as the server's settings make it.
    /// - Throws: ``MySQLWireError``, or what `body` throws.
    package func withConnection<Result: Sendable>(
        _ body: (MySQLConnection) async throws -> Result
    ) async throws -> Result {
        let clock = ContinuousClock()
        let end = clock.now.advanced(by: Self.crowdLimit)
        while true {
            let connection: MySQLConnection
            do {
                connection = try await MySQLConnection.open(mysqld.connection(administrator), on: mysqld.eventLoops)
            } catch let error as MySQLWireError where Self.crowded.contains(error.serverErrno ?? 0) && clock.now < end {
                try await Task.sleep(for: .milliseconds(50))
                continue
            }
            return try await connection.closing(after: body)
        }
    }

    /// The server counts a connection for a moment after it was closed: it may have too many in all (1040), or of one user
    /// (1203, 1226).
    private static let crowded: Set<UInt16> = [1040, 1203, 1226]
    private static let crowdLimit = Duration.seconds(10)

    /// The same for statements of ours, which the server's settings do not change.
    func withSession<Result: Sendable>(
        prelude: String = SessionPrelude.ours,
        _ body: (MySQLConnection) async throws -> Result
    ) async throws -> Result {
        try await withConnection { connection in
            _ = try await connection.run(prelude)
            return try await body(connection)
        }
    }

    /// Far more than any statement of ours takes on a server that works; one that waits for room on a disk, or hangs,
    /// answers none.
    private static let statementLimit = Duration.seconds(1800)

    /// Runs statements in order on one connection; stops at the first that fails.
    /// - Throws: ``MysqldError`` with code `statement`. Passwords in the statement are masked.
    package func execute(_ statements: [String]) async throws {
        try await execute(statements, limit: Self.statementLimit)
    }

    func execute(_ statements: [String], limit: Duration) async throws {
        try await withSession { connection in
            for statement in statements { _ = try await run(statement, on: connection, limit: limit) }
        }
    }

    private func run(
        _ statement: String,
        on connection: MySQLConnection,
        limit: Duration = Self.statementLimit
    ) async throws -> ResultSet {
        try await answering(statement, limit: limit) { try await connection.query(statement) }
    }

    private func answering<Result: Sendable>(
        _ statement: String,
        limit: Duration = Self.statementLimit,
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let shown = StatementLog.masked(statement)
        mysqld.logger.debug("exec \(shown)")
        do {
            return try await withDeadline(limit, operation: "waiting for mysqld to answer", body)
        } catch let error as MySQLWireError {
            throw MysqldError(.statement, "ExecuteFetch(\(shown)) failed", cause: error)
        } catch let error as DeadlineExceeded {
            throw MysqldError(
                .statement,
                "ExecuteFetch(\(shown)) failed\n\(ErrorLogTail.text(mysqld.directory.errorLog))",
                cause: error
            )
        }
    }

    /// Runs statements as ``execute(_:)`` does; when that is cancelled or fails, the server stops executing as well,
    /// instead of going on with a statement that nobody waits for.
    /// - Throws: ``MysqldError`` with code `statement`.
    package func executeKillable(_ statements: [String]) async throws {
        try await withConnection { connection in
            var current = ""
            do {
                for statement in statements {
                    current = StatementLog.masked(statement)
                    _ = try await connection.query(statement)
                }
            } catch {
                let identifier = connection.connectionID
                // It may have ended by itself: that is what is wanted.
                try? await shielded { try await execute(["KILL \(identifier)"]) }
                guard let error = error as? MySQLWireError else { throw error }
                throw MysqldError(.statement, "ExecuteFetch(\(current)) failed", cause: error)
            }
        }
    }

    /// Runs one statement that asks for something.
    /// - Throws: ``MysqldError`` with code `statement`.
    package func query(_ statement: String) async throws -> ResultSet {
        try await withSession { try await run(statement, on: $0) }
    }

    /// Runs one statement whose answer is as long as the server has tables, and keeps of each row what `transform` makes
    /// of it.
    /// - Throws: ``MysqldError`` with code `statement`.
    package func rows<Element: Sendable>(
        _ statement: String,
        _ transform: @escaping @Sendable ([String?]) -> Element?
    ) async throws -> [Element] {
        let found = Mutex([Element]())
        try await withSession { connection in
            try await answering(statement) {
                try await connection.forEachRow(statement) { row in
                    guard let element = transform(row) else { return }
                    found.withLock { $0.append(element) }
                }
            }
        }
        return found.withLock { $0 }
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
                    return try await withSession { _ in }
                } catch let error as MySQLWireError {
                    if let refusal = ServerRefusal(error) {
                        throw MysqldError(
                            .start,
                            "mysqld refuses \(administrator.user); HINT: \(refusal.hint(.dba))",
                            cause: error
                        )
                    }
                    if error.isNotAllowedToUs {
                        throw MysqldError(
                            .start,
                            "vtbackup may not connect to its own mysqld; HINT: the user that runs vtbackup must be able to reach \(mysqld.configuration.socket) and to write to it",
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

    /// Sees before anything is done to it that this server is ours, and what it leaves out.
    /// - Throws: ``MysqldError`` with code `configuration`.
    func check() async throws {
        try await checkFolders()
        try await refuseFilters()
    }

    /// Makes sure that who answers on our socket is our server, on our folders: a hook's my.cnf, an `EXTRA_MY_CNF` or
    /// a foreign socket may say otherwise, and then other files would be copied than those that it runs on.
    /// - Throws: ``MysqldError`` with code `configuration` that names the variable.
    private func checkFolders() async throws {
        let directory = mysqld.directory
        let answer = try await query(
            "SELECT @@datadir, @@innodb_data_home_dir, @@innodb_log_group_home_dir, @@pid_file"
        )
        let expected = [directory.data, directory.innodbData, directory.innodbLogs, directory.pidFile]
        for ((name, value), path) in zip(zip(answer.columns, answer.rows.first ?? []), expected)
        where FileTree.resolved(FilePath(value ?? "")) != FileTree.resolved(path) {
            throw MysqldError(
                .configuration,
                "the mysqld on \(mysqld.configuration.socket) has \(name) = \(value ?? "NULL"), not \(path); HINT: take that setting out of EXTRA_MY_CNF and the make_mycnf hook, or give another --mysql-socket"
            )
        }
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
    func waitUntilGone() async throws {
        while try FileTree.status(mysqld.configuration.socket) != nil
            || FileTree.status(mysqld.directory.pidFile) != nil
        {
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
