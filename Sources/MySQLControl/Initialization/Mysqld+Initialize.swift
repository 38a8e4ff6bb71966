import Concurrency
import Host
import Logging
import MySQLWire
package import SystemPackage
import Vocabulary

extension Mysqld {
    /// Makes a fresh data directory: folders, my.cnf, system tables, then the init SQL as root.
    ///
    /// Root runs the script, over one connection, and nothing else: the script may set its password or drop it. All that
    /// comes after is done by the administrator, also stopping the server.
    /// - Parameters:
    ///   - initSQLFile: script instead of the built-in one.
    ///   - body: runs in the first start, after the script, before the server is stopped again.
    /// - Returns: the result of `body`.
    /// - Throws: ``MysqldError``, or what `body` throws.
    package func initialize<Result: Sendable>(
        initSQLFile: FilePath?,
        _ body: @escaping @Sendable (RunningMysqld) async throws -> Result
    ) async throws -> Result {
        let script = try initScript(initSQLFile)
        try await prepareDirectory()
        try await installSystemTables()
        return try await withServer(startedBy: MySQLConnection.Credentials(user: "root")) { server in
            try await run(script, from: initSQLFile, on: server)
            let administered = server.administered(by: administrator)
            try await checkAdministrator(administered, after: initSQLFile)
            try await administered.takeCharge()
            return try await body(administered)
        }
    }

    private func run(_ script: String, from file: FilePath?, on server: RunningMysqld) async throws {
        let what = file.map { "can't run init-db-sql-file (\($0))" } ?? "failed to initialize mysqld"
        do {
            try await withDeadline(startTimeout, operation: "the init SQL") {
                try await server.withSession(prelude: SessionPrelude.script) { _ = try await $0.run(script) }
            }
        } catch let error as MySQLWireError {
            throw MysqldError(.start, what, cause: error)
        } catch let error as DeadlineExceeded {
            throw MysqldError(.start, "\(what) within --mysql-timeout=\(startTimeout)", cause: error)
        }
    }

    /// What the script made of the administrator is told at once, not when the server is to be stopped.
    private func checkAdministrator(_ server: RunningMysqld, after file: FilePath?) async throws {
        do {
            try await server.withSession { _ in }
        } catch let error as MySQLWireError {
            let script = file.map { "init-db-sql-file (\($0))" } ?? "the built-in init SQL"
            throw MysqldError(
                .start,
                "\(administrator.user) cannot log in after \(script), and nothing else may follow it as root; HINT: the script must create \(administrator.user)@localhost (--db-dba-user) with the password that --db-dba-password gives",
                cause: error
            )
        }
    }

    private func installSystemTables() async throws {
        let version = installation.version
        if version.product == .mariadb {
            let program = try MysqldInstallation.program("mysql_install_db", root: installation.root)
            // Otherwise root could log in as the system's root only; and no users without a name or for this host's name.
            let modern = ["--auth-root-authentication-method=normal", "--skip-test-db", "--cross-bootstrap"]
            try await runOnce(program, arguments: version.isAtLeast(10, 4, 0) ? modern : [])
        } else if version.isAtLeast(5, 7, 0) {
            try await runOnce(installation.mysqld, arguments: ["--initialize-insecure"])
        } else {
            throw MysqldError(
                .installation,
                "MySQL \(version) is too old: data directories are made for 5.7 and later; HINT: set VT_MYSQL_ROOT to a newer one"
            )
        }
    }

    private func initScript(_ file: FilePath?) throws -> String {
        guard let file else { return DefaultInitSQL.script(for: installation.version) }
        do {
            if let bytes = try FileTree.read(file, limit: 16 << 20, mayBePipe: true) {
                return String(decoding: bytes, as: UTF8.self)
            }
        } catch {
            throw MysqldError(.configuration, "can't read init-db-sql-file (\(file))", cause: error)
        }
        throw MysqldError(.configuration, "can't open init-db-sql-file (\(file)): no such file")
    }
}
