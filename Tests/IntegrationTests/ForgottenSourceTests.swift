import MySQLControl
import MySQLWire
import Subprocess
import SystemPackage
import TestKit
import Testing

/// What a restored server must not bring along: the way to the primary, and how to log in there.
@Suite("a backup holds no source of replication", .timeLimit(.minutes(60)))
struct ForgottenSourceTests {
    private static let password = "Replicat0r-Secret"

    /// Two passes, so that the second one's base has replicated as well.
    private func check(_ product: TestServers.Product) async throws {
        try await TestShard.with(product) { shard in
            try await shard.primary.sql(
                "SET sql_log_bin = 0",
                "CREATE USER replicator@'%' IDENTIFIED BY '\(Self.password)'",
                "GRANT REPLICATION SLAVE ON *.* TO replicator@'%'",
                "SET sql_log_bin = 1",
                "CREATE TABLE vt_commerce.customer (id INT PRIMARY KEY)"
            )
            let flags = ["--db-repl-user=replicator", "--db-repl-password=\(Self.password)"]
            let first = try await shard.vtbackup(flags + ["--allow-first-backup"])
            #expect(first.succeeded, "\(first.standardError.suffix(3000))")
            try await shard.primary.sql("INSERT INTO vt_commerce.customer VALUES (1)")
            // The server stops and starts once more before the copy.
            let second = try await shard.vtbackup(flags + ["--restart-before-backup"])
            #expect(second.succeeded, "\(second.standardError.suffix(3000))")
            #expect(!(first.standardError + second.standardError).contains(Self.password))
            try await shard.withRestored { restored in
                let status = restored.dialect.status
                #expect(try await restored.sql(status).rows.isEmpty)
                if product.isMySQL {
                    #expect(try await restored.sql("SELECT COUNT(*) FROM mysql.slave_master_info").scalar == "0")
                }
                let rows = try await restored.sql("SELECT COUNT(*) FROM vt_commerce.customer").scalar
                #expect(rows == "1")
                let holders = try await Subprocess.run(
                    .name("grep"),
                    arguments: ["-rlaF", Self.password, restored.mysqld.directory.path.string],
                    output: .string(limit: 4096),
                    error: .discarded
                )
                #expect(holders.standardOutput == "", "files that hold the password")
            }
        }
    }

    @Test("MySQL", .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set"))
    func mysql() async throws { try await check(.mysql) }

    @Test("MySQL 8.0", .needs(.mysql80))
    func mysql80() async throws { try await check(.mysql80) }

    @Test("MariaDB", .enabled(if: RealComponents.runsMariaDB, "VT_MARIADB_ROOT is not set"))
    func mariaDB() async throws { try await check(.mariaDB) }
}
