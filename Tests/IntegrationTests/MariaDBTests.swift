import Catalog
import Glibc
import Host
import MySQLControl
import MySQLWire
import NIOPosix
import Positions
import SystemPackage
import TestKit
import Testing

/// The whole pass on a real MariaDB, which Vitess's own vtbackup cannot do: no super_read_only, other statements, other
/// positions, system tables in Aria.
@Suite(
    "vtbackup on MariaDB",
    .enabled(if: RealComponents.runsMariaDB, "VT_MARIADB_ROOT is not set"),
    .timeLimit(.minutes(60))
)
struct MariaDBTests {
    private func position(_ server: RunningMysqld) async throws -> MariaDBPosition {
        try MariaDBPosition(try await server.sql("SELECT @@GLOBAL.gtid_binlog_pos").scalar ?? "")
    }

    @Test("first backup, second pass with writes between, listing, restore")
    func wholeLife() async throws {
        try await TestShard.with(.mariaDB) { shard in
            try await shard.primary.sql(
                "CREATE TABLE vt_commerce.customer (id BIGINT PRIMARY KEY AUTO_INCREMENT, note TEXT)",
                "INSERT INTO vt_commerce.customer (note) SELECT repeat('x', seq) FROM mysql.help_topic, (SELECT 7 seq) s LIMIT 400",
                "CREATE TABLE vt_commerce.crash_safe (id INT PRIMARY KEY, t VARCHAR(10)) ENGINE=Aria",
                "INSERT INTO vt_commerce.crash_safe VALUES (1, 'a'), (2, 'b')"
            )
            let first = try await shard.vtbackup("--allow-first-backup")
            #expect(first.succeeded, "\(first.standardError.suffix(4000))")
            let firstPosition = try await position(shard.primary)
            #expect(try shard.newestManifest().position == .mariaDB(firstPosition))

            try await shard.primary.sql(
                "UPDATE vt_commerce.customer SET note = 'changed' WHERE id % 3 = 0",
                "CREATE TABLE vt_commerce.later (id INT PRIMARY KEY)",
                "INSERT INTO vt_commerce.later VALUES (1)",
                "DELETE FROM vt_commerce.crash_safe WHERE id = 1"
            )
            let second = try await shard.vtbackup([
                "--min-retention-time=1ms", "--upgrade-safe", "--restart-before-backup",
            ])
            #expect(second.succeeded, "\(second.standardError.suffix(4000))")
            #expect(try shard.backups().count == 1)
            let manifest = try shard.newestManifest()
            let reached = try await position(shard.primary)
            #expect(manifest.position == .mariaDB(reached))
            #expect(manifest.mysqlVersion.contains("MariaDB"))
            #expect(try FileTree.list(shard.dataRoot) == [])
            #expect(try await shard.verifyIndependently().succeeded)

            let expected = try await shard.primary.checksums(of: "vt_commerce")
            #expect(expected.count == 3)
            try await shard.withRestored { restored in
                let found = try await restored.checksums(of: "vt_commerce")
                #expect(found == expected)
                // Without Aria's log every table of the system would have been repaired as a foreign one.
                let log = try FileTree.read(restored.mysqld.directory.errorLog, limit: 1 << 20) ?? []
                let text = String(decoding: log, as: UTF8.self)
                #expect(!text.lowercased().contains("zerofill"), "\(text)")
                #expect(!text.contains("[ERROR] mysqld: Table"), "\(text)")
            }
        }
    }

    @Test("a last transaction that is about a temporary table, and so not logged here, is at the goal too")
    func unloggedTransactions() async throws {
        try await TestShard.with(.mariaDB) { shard in
            try await shard.primary.sql("CREATE TABLE vt_commerce.customer (id INT PRIMARY KEY)")
            for flags in [["--allow-first-backup"], []] {
                try await shard.primary.sql(
                    "SET binlog_format = STATEMENT",
                    "CREATE TEMPORARY TABLE vt_commerce.scratch (id INT)",
                    "INSERT INTO vt_commerce.scratch VALUES (1)",
                    "DROP TEMPORARY TABLE vt_commerce.scratch"
                )
                let run = try await shard.vtbackup(flags)
                #expect(run.succeeded, "\(run.standardError.suffix(3000))")
                let reached = try await position(shard.primary)
                #expect(try shard.newestManifest().position == .mariaDB(reached))
            }
        }
    }

    @Test("an initial backup seeds an empty shard")
    func initialBackup() async throws {
        try await TestShard.with(.mariaDB) { shard in
            let run = try await shard.vtbackup(["--init-keyspace=seed", "--initial-backup"])
            #expect(run.succeeded, "\(run.standardError.suffix(4000))")
            let listing = try await shard.vtbackup(["--init-keyspace=seed", "--list-backups"])
            #expect(listing.standardOutput.contains("MariaDB/0-"))
            let users = try await shard.primary.sql("SELECT user, host FROM mysql.user WHERE user IN ('', 'root')").rows
            #expect(users == [["root", "localhost"]], "nobody else without a password")
        }
    }

    @Test("our client: passwords, wrong ones, large results and packets")
    func wire() async throws {
        try await TestShard.with(.mariaDB) { shard in
            try await shard.primary.sql(
                "CREATE USER 'secret'@'%' IDENTIFIED BY 'pa''ss'",
                "GRANT SELECT ON *.* TO 'secret'@'%'"
            )
            let port = shard.primary.mysqld.configuration.port
            func connect(_ password: String) -> MySQLConnection.Configuration {
                MySQLConnection.Configuration(
                    address: .tcp(host: "127.0.0.1", port: port),
                    credentials: MySQLConnection.Credentials(user: "secret", password: password)
                )
            }
            try await MySQLConnection.with(connect("pa'ss"), on: shard.eventLoops) { connection in
                #expect(connection.serverVersion.contains("MariaDB"))
                #expect(try await connection.query("SELECT length(repeat('x', 20000000))").scalar == "20000000")
                let rows = try await connection.query("SELECT repeat('x', 1000) FROM mysql.help_topic LIMIT 500").rows
                #expect(rows.count == 500)
            }
            let error = await #expect(throws: MySQLWireError.self) {
                try await MySQLConnection.with(connect("wrong"), on: shard.eventLoops) { _ in }
            }
            #expect(error?.serverErrno == 1045)
        }
    }
}
