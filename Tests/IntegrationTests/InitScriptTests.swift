import Catalog
import Host
import MySQLControl
import MySQLWire
import SystemPackage
import TestKit
import Testing

/// The script of a secured cluster: what it does to the server must not lock out who runs it.
@Suite(
    "an init script that secures the server",
    .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set"),
    .timeLimit(.minutes(60))
)
struct InitScriptTests {
    private static let password = "Vt-5ecret 'quoted' \\ pässword"

    /// The users of a tablet, passwords for all of them and for root, read-only again at the end.
    private func script(_ product: TestServers.Product, dropsRoot: Bool = false, _ more: String...) -> String {
        let privileges = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, FILE, INDEX, ALTER, EXECUTE"
        let isMySQL = product != .mariaDB
        var lines = [
            "# Comments of both kinds stand between the statements.",
            isMySQL ? "SET @was_super_read_only = IF(@@global.super_read_only = 1, 'ON', 'OFF');" : "",
            isMySQL ? "/*!50708 SET GLOBAL super_read_only = 'OFF' */;" : "",
            "SET sql_log_bin = 0; -- nothing here becomes a transaction",
            "DROP USER IF EXISTS ''@'%', ''@'localhost', 'root'@'%';",
            "DROP DATABASE IF EXISTS test;",
            "CREATE USER vt_dba@localhost; GRANT ALL ON *.* TO vt_dba@localhost WITH GRANT OPTION;",
        ]
        for user in ["vt_app", "vt_allprivs", "vt_filtered", "vt_appdebug"] {
            lines.append("CREATE USER \(user)@localhost; GRANT \(privileges) ON *.* TO \(user)@localhost;")
        }
        lines.append("CREATE USER vt_repl@'%'; GRANT REPLICATION SLAVE ON *.* TO vt_repl@'%';")
        lines += more
        let users = (dropsRoot ? [] : ["root"]) + ["vt_dba", "vt_app", "vt_allprivs", "vt_filtered", "vt_appdebug"]
        for user in users.map({ "\($0)@localhost" }) + ["vt_repl@'%'"] {
            lines.append("SET PASSWORD FOR \(user) = \(literal(product));")
        }
        lines.append("FLUSH PRIVILEGES;")
        if dropsRoot {
            // From here on it may do nothing more.
            lines.append("DROP USER root@localhost;")
        } else if isMySQL {
            lines.append("SET GLOBAL super_read_only = IFNULL(@was_super_read_only, 'ON');")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func literal(_ product: TestServers.Product) -> String {
        let text = SQLText.literal(Self.password)
        return product != .mariaDB ? text : "PASSWORD(\(text))"
    }

    private func write(_ script: String, _ shard: TestShard) throws -> String {
        let file = shard.folder.appending("init.sql")
        try FileTree.write(Array(script.utf8), to: file)
        return "--init-db-sql-file=\(file)"
    }

    private var passwords: [String] {
        ["--db-dba-password=\(Self.password)", "--db-repl-password=\(Self.password)"]
    }

    private static let products: [TestServers.Product] =
        [.mysql] + (RealComponents.mysql80Root == nil ? [] : [.mysql80])
        + (RealComponents.runsMariaDB ? [.mariaDB] : [])

    @Test("initial backup, first backup, a pass on it, and its verification go by the dba user", arguments: products)
    func passwordsForAll(_ product: TestServers.Product) async throws {
        try await TestShard.with(product) { shard in
            // The cluster's own users got theirs by the same script.
            try await shard.primary.sql(
                "SET sql_log_bin = 0",
                "SET PASSWORD FOR vt_repl@'%' = \(literal(product))",
                "SET sql_log_bin = 1",
                "CREATE TABLE vt_commerce.customer (id INT PRIMARY KEY)",
                "INSERT INTO vt_commerce.customer VALUES (1), (2)"
            )
            let flags = [try write(script(product), shard), "--verify-after"] + passwords
            for more in [["--init-keyspace=fresh", "--initial-backup"], ["--allow-first-backup"], []] {
                let run = try await shard.vtbackup(flags + more)
                #expect(run.succeeded, "\(more): \(run.standardError.suffix(3000))")
                #expect(!run.standardError.contains("5ecret 'quoted"))
            }
            #expect(try shard.backups().count == 2)
        }
    }

    @Test("a script that drops root, demands TLS, and changes what statements mean")
    func changesEverything() async throws {
        try await TestShard.with { shard in
            try await shard.primary.sql("CREATE TABLE vt_commerce.customer (id INT PRIMARY KEY)")
            let script = script(
                .mysql,
                dropsRoot: true,
                "ALTER USER vt_dba@localhost PASSWORD EXPIRE NEVER;",
                "SET GLOBAL sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES';",
                "SET GLOBAL require_secure_transport = ON; SET GLOBAL autocommit = 0;",
                "SET GLOBAL transaction_read_only = ON; SET GLOBAL max_execution_time = 1;",
                "SET GLOBAL sql_select_limit = 1; SET GLOBAL max_join_size = 1; SET GLOBAL time_zone = '+05:00';",
                "SET GLOBAL max_user_connections = 1; SET GLOBAL offline_mode = ON; SET GLOBAL init_connect = 'nonsense';",
                "SET GLOBAL event_scheduler = ON; SET GLOBAL lock_wait_timeout = 1; SET GLOBAL lc_messages = 'de_DE';"
            )
            let flags = [try write(script, shard)]
            try await shard.primary.sql(
                "SET sql_log_bin = 0",
                "SET PASSWORD FOR vt_repl@'%' = \(literal(.mysql))"
            )
            for more in [["--init-keyspace=fresh", "--initial-backup"], ["--allow-first-backup"]] {
                let run = try await shard.vtbackup(flags + more + passwords)
                #expect(run.succeeded, "\(more): \(run.standardError.suffix(3000))")
            }
            #expect(try shard.newestManifest().mysqlVersion.hasPrefix("Ver "))
        }
    }

    @Test("a script that leaves no administrator, or does not run, is told with the flags, and shows no password")
    func noAdministrator() async throws {
        try await TestShard.with { shard in
            let run = try await shard.vtbackup([try write(script(.mysql), shard), "--allow-first-backup"])
            #expect(run.exitCode == 1)
            #expect(
                run.standardError.contains("vt_dba cannot log in after init-db-sql-file (\(shard.folder)/init.sql)")
            )
            #expect(run.standardError.contains("HINT: the script must create vt_dba@localhost (--db-dba-user)"))
            #expect(try FileTree.list(shard.dataRoot) == [])

            let wrong = try write("SET sql_log_bin = 0;\n\nCREATE USER a@b IDENTIFYED BY 'hush hush';\n", shard)
            let refused = try await shard.vtbackup([wrong, "--allow-first-backup"])
            #expect(refused.exitCode == 1)
            #expect(refused.standardError.contains("can't run init-db-sql-file (\(shard.folder)/init.sql)"))
            #expect(refused.standardError.contains("syntax error in line 1 of statement 2 (errno 1064)"))
            #expect(!refused.standardError.contains("hush"))
        }
    }
}
