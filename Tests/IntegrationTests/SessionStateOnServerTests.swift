import Catalog
import Host
import MySQLControl
import MySQLWire
import Positions
import SystemPackage
import TestKit
import Testing

/// What a server has in memory only, and a pass must not stumble over: rows of MEMORY tables, temporary tables.
@Suite("state that no file holds", .timeLimit(.minutes(60)))
struct SessionStateOnServerTests {
    private func expectPositionOfPrimary(_ shard: TestShard) async throws {
        let expected = try await shard.primary.executedPosition()
        let found = try shard.newestManifest().position
        #expect(found == expected)
    }

    /// The primary changes rows that are not there after the restore; they are left out, and the GTID set is the primary's.
    private func memoryTables(_ product: TestServers.Product) async throws {
        try await TestShard.with(product) { shard in
            // MariaDB's filter has no way to write a comma.
            let other = product.isMySQL ? "on,line" : "online"
            try await shard.primary.sql(
                "CREATE TABLE vt_commerce.customer (id INT PRIMARY KEY, v INT)",
                "CREATE TABLE vt_commerce.`\(other)` (id INT PRIMARY KEY, v INT) ENGINE=MEMORY",
                "CREATE TABLE vt_commerce.cart (id INT PRIMARY KEY, v INT) ENGINE=MEMORY",
                "INSERT INTO vt_commerce.cart VALUES (1, 1), (2, 2)"
            )
            let first = try await shard.vtbackup("--allow-first-backup")
            #expect(first.succeeded, "\(first.standardError.suffix(3000))")
            // Who opens it first after the start would be told to be the author of a transaction.
            try await shard.primary.sql(
                "INSERT INTO vt_commerce.customer SELECT id, v FROM vt_commerce.cart",
                "TRUNCATE TABLE vt_commerce.cart",
                "INSERT INTO vt_commerce.cart VALUES (3, 3)"
            )
            let second = try await shard.vtbackup()
            #expect(second.succeeded, "\(second.standardError.suffix(3000))")
            try await expectPositionOfPrimary(shard)

            try await shard.primary.sql(
                "UPDATE vt_commerce.cart SET v = v + 1",
                "DELETE FROM vt_commerce.cart WHERE id = 3",
                "UPDATE vt_commerce.customer SET v = 7",
                // The last one is left out as well.
                "INSERT INTO vt_commerce.cart VALUES (4, 4)"
            )
            let third = try await shard.vtbackup("--verify-after")
            #expect(third.succeeded, "\(third.standardError.suffix(3000))")
            #expect(third.standardError.contains("vt_commerce.cart, vt_commerce.\(other) are left out of replication"))
            try await expectPositionOfPrimary(shard)
            try await shard.withRestored { restored in
                let sum = try await restored.sql("SELECT SUM(v) FROM vt_commerce.customer").scalar
                #expect(sum == "14")
            }

            // Its rows were never here: they must not be missing silently from a table that keeps them.
            try await shard.primary.sql(
                "INSERT INTO vt_commerce.cart VALUES (5, 5)",
                "ALTER TABLE vt_commerce.cart ENGINE=InnoDB"
            )
            let fourth = try await shard.vtbackup()
            #expect(fourth.exitCode == 1)
            #expect(fourth.standardError.contains("vt_commerce.cart had the engine MEMORY in the backup"))
            #expect(try shard.backups().count == 3)
        }
    }

    /// The pass ends when the session on the primary has dropped its table, and not before.
    private func temporaryTables(_ product: TestServers.Product) async throws {
        try await TestShard.with(product) { shard in
            try await shard.primary.sql("CREATE TABLE vt_commerce.customer (id INT PRIMARY KEY)")
            let logs = shard.folder.appending("l")
            try FileTree.createDirectory(logs, parents: true)
            try await shard.primary.withConnection { session in
                _ = try await session.query("SET binlog_format = STATEMENT")
                _ = try await session.query("CREATE TEMPORARY TABLE vt_commerce.scratch (id INT)")
                _ = try await session.query("INSERT INTO vt_commerce.scratch VALUES (1)")
                let flags = ["--allow-first-backup", "--logtostderr=false", "--log_dir=\(logs)"]
                let run = try await shard.vtbackup(flags) { process in
                    // A pass that does not wait for it ends by itself.
                    while try !Self.log(in: logs).contains("1 temporary tables open"), Programs.isAlive(process) {
                        await pauseBetweenLooks()
                    }
                    _ = try await session.query("INSERT INTO vt_commerce.customer SELECT id FROM vt_commerce.scratch")
                    _ = try await session.query("DROP TEMPORARY TABLE vt_commerce.scratch")
                }
                let log = try Self.log(in: logs)
                #expect(run.succeeded, "\(log.suffix(3000))")
            }
            try await expectPositionOfPrimary(shard)
        }
    }

    private static func log(in folder: FilePath) throws -> String {
        try (FileTree.list(folder) ?? []).map { name in
            String(decoding: try FileTree.read(folder.appending(name), limit: 1 << 24) ?? [], as: UTF8.self)
        }.joined()
    }

    @Test("MEMORY tables on MySQL", .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set"))
    func memoryOnMySQL() async throws { try await memoryTables(.mysql) }

    @Test("MEMORY tables on MySQL 8.0", .needs(.mysql80))
    func memoryOnMySQL80() async throws { try await memoryTables(.mysql80) }

    @Test("MEMORY tables on MariaDB", .enabled(if: RealComponents.runsMariaDB, "VT_MARIADB_ROOT is not set"))
    func memoryOnMariaDB() async throws { try await memoryTables(.mariaDB) }

    @Test("temporary tables on MySQL", .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set"))
    func temporaryOnMySQL() async throws { try await temporaryTables(.mysql) }

    @Test("temporary tables on MySQL 8.0", .needs(.mysql80))
    func temporaryOnMySQL80() async throws { try await temporaryTables(.mysql80) }

    @Test("temporary tables on MariaDB", .enabled(if: RealComponents.runsMariaDB, "VT_MARIADB_ROOT is not set"))
    func temporaryOnMariaDB() async throws { try await temporaryTables(.mariaDB) }
}
