import Catalog
import Glibc
import Host
import MySQLControl
import MySQLWire
import SystemPackage
import TestKit
import Testing

/// What an operator's my.cnf brings must not change what a pass does, or is refused with its name.
@Suite(
    "other hands on the server of a pass",
    .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set"),
    .timeLimit(.minutes(60))
)
struct OtherHandsTests {
    private static let products: [TestServers.Product] =
        [.mysql] + (RealComponents.mysql80Root == nil ? [] : [.mysql80])
        + (RealComponents.runsMariaDB ? [.mariaDB] : [])

    private func extra(_ lines: [String], _ shard: TestShard) throws -> [String: String] {
        let file = shard.folder.appending("extra.cnf")
        try FileTree.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: file)
        chmod(file.string, 0o644)
        return ["EXTRA_MY_CNF": file.string]
    }

    @Test("limits, modes, schedulers, time zones, languages and statements are neutralised", arguments: products)
    func neutralised(_ product: TestServers.Product) async throws {
        try await TestShard.with(product) { shard in
            try await shard.primary.sql(
                "CREATE TABLE vt_commerce.customer (id INT PRIMARY KEY)",
                "INSERT INTO vt_commerce.customer VALUES (1)",
                // Would write by itself on every server that runs it.
                "CREATE EVENT vt_commerce.busy ON SCHEDULE EVERY 1 SECOND DO INSERT IGNORE INTO vt_commerce.customer VALUES (RAND() * 1000)"
            )
            let statements = shard.folder.appending("statements.sql")
            try FileTree.write(Array("CREATE DATABASE from_init_file;\n".utf8), to: statements)
            chmod(statements.string, 0o644)
            var lines = [
                "default_time_zone = 'Europe/Berlin'", "event_scheduler = ON", "init_file = \(statements)",
                "init_connect = 'nonsense'", "sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES'", "autocommit = OFF",
                "transaction_read_only = ON", "max_join_size = 1", "max_user_connections = 1",
                "lock_wait_timeout = 1", "character_set_server = latin1", "collation_server = latin1_swedish_ci",
                "innodb_fast_shutdown = 2", "server-id = \(shard.primary.mysqld.configuration.serverID)",
                "port = \(shard.primary.mysqld.configuration.port)", "socket = /nonexistent/mysql.sock",
            ]
            let replica = product == .mysql ? "replica" : "slave"
            lines += [
                "init_\(replica) = 'CREATE DATABASE from_init_replica'", "\(replica)_skip_errors = all",
                "\(replica)_exec_mode = IDEMPOTENT", "lc_messages = de_DE",
            ]
            lines +=
                product == .mariaDB
                ? ["max_statement_time = 0.001", "skip-character-set-client-handshake"]
                : ["max_execution_time = 1", "offline_mode = ON", "require_secure_transport = ON", "gtid_mode = OFF"]
            let environment = try extra(lines, shard)
            for flags in [["--init-keyspace=fresh", "--initial-backup"], ["--allow-first-backup"], ["--verify-after"]] {
                let run = try await shard.vtbackup(flags, environment: environment)
                try #require(run.succeeded, "\(flags): \(run.standardError.suffix(3000))")
                #expect(run.standardError.contains("does not know the time zone Europe/Berlin (errno 1298)"))
                #expect(run.standardError.contains("HINT: load mysql.time_zone, time_zone_name"))
            }
            try await shard.withRestored { restored in
                let schemas = try await restored.sql("SHOW DATABASES LIKE 'from\\_%'").rows
                #expect(schemas.isEmpty)
                let rows = try await restored.sql("SELECT COUNT(*) FROM vt_commerce.customer").scalar
                #expect(rows == "1")
            }
        }
    }

    @Test("what is persisted in the data still decides which statements the server takes, and lets it write nothing")
    func persisted() async throws {
        try await TestShard.with { shard in
            try await shard.primary.sql(
                "CREATE TABLE vt_commerce.customer (id INT PRIMARY KEY)",
                "CREATE EVENT vt_commerce.busy ON SCHEDULE EVERY 1 SECOND DO INSERT IGNORE INTO vt_commerce.customer VALUES (RAND() * 1000)"
            )
            let first = try await shard.vtbackup([
                "--allow-first-backup", "--init-backup-tablet-types=backup", "--init-backup-sql-timeout=30s",
                "--init-backup-sql-fail-on-error",
                "--init-backup-sql-queries=SET PERSIST innodb_strict_mode = OFF,SET PERSIST event_scheduler = ON",
            ])
            #expect(first.succeeded, "\(first.standardError.suffix(3000))")
            // Strict servers refuse it, and no event of the binary log says how strict its author was.
            try await shard.primary.sql(
                "SET SESSION innodb_strict_mode = OFF",
                "CREATE TABLE vt_commerce.odd (id INT PRIMARY KEY) ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=3"
            )
            let second = try await shard.vtbackup()
            #expect(second.succeeded, "\(second.standardError.suffix(3000))")
            let names = try #require(try shard.newestManifest().builtin).files.map(\.name)
            #expect(names.contains("mysqld-auto.cnf"))
        }
    }

    @Test("a filter of replication is refused with its name", arguments: products)
    func filters(_ product: TestServers.Product) async throws {
        try await TestShard.with(product) { shard in
            let environment = try extra(["replicate-ignore-db = vt_commerce", "replicate_wild_do_table = a.%"], shard)
            let run = try await shard.vtbackup("--allow-first-backup", environment: environment)
            #expect(run.exitCode == 1)
            #expect(run.standardError.lowercased().contains("replicate_ignore_db = vt_commerce"))
            #expect(run.standardError.lowercased().contains("replicate_wild_do_table = a.%"))
            #expect(run.standardError.contains("HINT: take that out of EXTRA_MY_CNF"))
            #expect(try shard.backups().isEmpty)
        }
    }
}
