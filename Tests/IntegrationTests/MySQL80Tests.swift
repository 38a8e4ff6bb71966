import Catalog
import Host
import MySQLControl
import MySQLWire
import NIOPosix
import Positions
import SystemPackage
import TestKit
import Testing

/// What is different on the oldest series of MySQL 8.0: statements with the old names, a redo log of two files, passwords by
/// `mysql_native_password`, an older dictionary.
@Suite("vtbackup on MySQL 8.0", .needs(.mysql80), .timeLimit(.minutes(60)))
struct MySQL80Tests {
    private func executed(_ server: RunningMysqld) async throws -> GTIDSet {
        try GTIDSet(try await server.sql("SELECT @@global.gtid_executed").scalar ?? "")
    }

    private func pass(_ shard: TestShard, _ flags: String...) async throws -> ProgramRun {
        let run = try await shard.vtbackup(flags)
        #expect(run.succeeded, "\(flags): \(run.standardError.suffix(4000))")
        return run
    }

    @Test("initial and first backup, passes with verification, both ways to log in, pruning, listing, restore")
    func wholeLife() async throws {
        try await TestShard.with(.mysql80) { shard in
            let version = try await shard.primary.sql("SELECT @@version").scalar ?? ""
            #expect(version.hasPrefix("8.0."))
            let fill =
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT i, repeat(md5(i), i % 50) FROM n"
            try await shard.primary.sql(
                "CREATE TABLE vt_commerce.customer (id BIGINT PRIMARY KEY, note TEXT)",
                "INSERT INTO vt_commerce.customer \(fill)",
                "CREATE TABLE vt_commerce.zip (id BIGINT PRIMARY KEY, note TEXT) ROW_FORMAT=COMPRESSED",
                "INSERT INTO vt_commerce.zip \(fill)",
                "CREATE TABLESPACE reports ADD DATAFILE 'reports.ibd'",
                "CREATE TABLE vt_commerce.report (id INT PRIMARY KEY) TABLESPACE reports",
                "INSERT INTO vt_commerce.report VALUES (1), (2)",
                "CREATE TABLE vt_commerce.old (id INT PRIMARY KEY, t VARCHAR(10)) ENGINE=MyISAM",
                "INSERT INTO vt_commerce.old VALUES (1, 'a')"
            )
            _ = try await pass(shard, "--allow-first-backup", "--compression-engine-name=zstd", "--verify-after")
            let first = try shard.newestManifest()
            let now = try await executed(shard.primary)
            #expect(first.position == .mysql56(now))
            #expect(first.mysqlVersion.contains("8.0."))
            let names = first.builtin?.files.map(\.name) ?? []
            for name in ["ib_logfile0", "ib_logfile1", "ibdata1", "mysql.ibd", "reports.ibd", "vt_commerce/old.MYD"] {
                #expect(names.contains(name), "\(name) is not in \(names)")
            }

            // The account is in the backup with its old method; the pass learns of the new one by replication.
            try await shard.primary.sql(
                "ALTER USER 'vt_repl'@'%' IDENTIFIED WITH caching_sha2_password BY 'of the 8.0'",
                "UPDATE vt_commerce.customer SET note = 'changed' WHERE id % 3 = 0",
                "CREATE TABLE vt_commerce.later (id INT PRIMARY KEY)"
            )
            _ = try await pass(
                shard,
                "--db-repl-password=of the 8.0",
                "--min-retention-time=1ms",
                "--verify-after",
                "--upgrade-safe",
                "--restart-before-backup"
            )
            #expect(try shard.backups().count == 1, "the first one is pruned")

            try await shard.primary.sql(
                "ALTER USER 'vt_repl'@'%' IDENTIFIED WITH mysql_native_password BY 'older'",
                "DELETE FROM vt_commerce.customer WHERE id > 800"
            )
            _ = try await pass(
                shard,
                "--db-repl-password=older",
                "--compression-engine-name=lz4",
                "--disable-redo-log"
            )
            #expect(try FileTree.list(shard.dataRoot) == [], "the tablet folder is gone")
            let check = try await shard.verifyIndependently()
            #expect(check.succeeded, "\(check.standardOutput)")
            try await expectRestored(shard)

            _ = try await pass(shard, "--init-keyspace=fresh", "--initial-backup")
            let listing = try await shard.vtbackup("--init-keyspace=fresh", "--list-backups")
            #expect(listing.succeeded && listing.standardOutput.contains("MySQL56/"), "\(listing.standardOutput)")
        }
    }

    /// The newest backup is what the primary is, rows and GTID set.
    private func expectRestored(_ shard: TestShard) async throws {
        let (rows, position) = (
            try await shard.primary.checksums(of: "vt_commerce"), try await executed(shard.primary)
        )
        #expect(rows.count == 5)
        try await shard.withRestored { restored in
            let (found, there) = (try await restored.checksums(of: "vt_commerce"), try await executed(restored))
            #expect(found == rows)
            #expect(there == position)
        }
    }
}
