import Glibc
import Host
import MySQLControl
import MySQLWire
import NIOCore
import SystemPackage
import TestKit
import Testing

/// What ends a catch-up that cannot succeed, on a real server: soon, and with a name.
@Suite(
    "catch-up that cannot succeed, on MySQL",
    .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set"),
    .timeLimit(.minutes(60))
)
struct CatchUpTests {
    /// A shard with one backup, and more transactions since.
    private func withBase(_ body: @escaping @Sendable (TestShard) async throws -> Void) async throws {
        try await TestShard.with { shard in
            try await shard.primary.sql("CREATE TABLE vt_commerce.customer (id INT PRIMARY KEY, note INT)")
            let base = try await shard.vtbackup("--allow-first-backup")
            #expect(base.succeeded, "\(base.standardError.suffix(2000))")
            try await shard.primary.sql("INSERT INTO vt_commerce.customer VALUES (1, 1)")
            try await body(shard)
        }
    }

    private func expectFailure(
        _ shard: TestShard,
        _ message: String,
        _ flags: [String] = [],
        started: @Sendable (Int32) async throws -> Void = { _ in }
    ) async throws {
        let clock = ContinuousClock()
        let begun = clock.now
        let run = try await shard.vtbackup(flags, started: started)
        #expect(run.exitCode == 1)
        #expect(run.standardError.contains(message), "\(run.standardError.suffix(3000))")
        #expect(clock.now - begun < .onlyAHang)
        #expect(try shard.backups().count == 1)
        #expect(try FileTree.list(shard.dataRoot) == [])
    }

    @Test("purged binary logs, before anything is restored")
    func purged() async throws {
        try await withBase { shard in
            try await shard.primary.sql("FLUSH BINARY LOGS", "INSERT INTO vt_commerce.customer VALUES (2, 2)")
            let newest = try await shard.primary.sql("SHOW BINARY LOGS").rows.last?.first ?? nil
            try await shard.primary.sql("PURGE BINARY LOGS TO \(SQLText.literal(newest ?? ""))")
            let run = try await shard.vtbackup()
            #expect(!run.standardError.contains("Restore: found latest backup"), "\(run.standardError.suffix(3000))")
            try await expectFailure(shard, "the primary no longer has the binary logs since the backup")
        }
    }

    @Test("a base whose data has gone apart is passed over for the older one, and noted")
    func olderBase() async throws {
        try await withBase { shard in
            // The binary log does not know of it, and neither does the position.
            let apart = try await shard.vtbackup([
                "--init-backup-tablet-types=backup", "--init-backup-sql-timeout=30s", "--init-backup-sql-fail-on-error",
                "--init-backup-sql-queries=SET sql_log_bin = 0,DROP TABLE vt_commerce.customer",
            ])
            #expect(apart.succeeded, "\(apart.standardError.suffix(3000))")
            try await shard.primary.sql("INSERT INTO vt_commerce.customer VALUES (2, 2)")
            let run = try await shard.vtbackup()
            #expect(run.succeeded, "\(run.standardError.suffix(3000))")
            #expect(run.standardError.contains("CANNOT BE CAUGHT UP WITH, falling back to an older one"))
            let backups = try shard.backups()
            #expect(backups.count == 3)
            let notes = try backups.map { try FileTree.read($0.appending("NOT-CAUGHT-UP"), limit: 4096) != nil }
            #expect(notes == [false, true, false])
            let listing = try await shard.vtbackup("--list-backups", "--json")
            #expect(!listing.standardOutput.contains(#""complete" : false"#), "it stays a good backup")
            #expect(listing.standardOutput.matches(of: /"notCaughtUpSince" : "20/).count == 1)
            #expect(listing.standardOutput.contains(#""notCaughtUpReason" : ""#))
            let table = try await shard.vtbackup("--list-backups")
            #expect(table.standardOutput.matches(of: /not caught up since 20/).count == 1)
            let expected = try await shard.primary.checksums(of: "vt_commerce")
            try await shard.withRestored { restored in
                let found = try await restored.checksums(of: "vt_commerce")
                #expect(found == expected)
            }
        }
    }

    @Test("a user that may not replicate, and one that does not exist, are told before anything is restored")
    func credentials() async throws {
        try await withBase { shard in
            try await shard.primary.sql(
                "SET sql_log_bin = 0",
                "CREATE USER reader@'%' IDENTIFIED BY 's3cret'"
            )
            for (flags, hint) in [
                (["--db-repl-user=reader", "--db-repl-password=s3cret"], "HINT: GRANT REPLICATION SLAVE"),
                (["--db-repl-user=nobody_here"], "HINT: check --db-repl-user"),
            ] {
                let run = try await shard.vtbackup(flags, until: "no waiting heals that, trying for another 1m0s")
                #expect(run.exitCode != 0)
                #expect(run.standardError.contains(hint), "\(run.standardError.suffix(3000))")
                #expect(!run.standardError.contains("Restore:"))
                #expect(try FileTree.list(shard.dataRoot) == [])
            }
        }
    }

    @Test("an applier that somebody stops again and again")
    func stoppedApplier() async throws {
        try await withBase { shard in
            // The goal is never reached although nothing is left to apply: a STOP that met a transaction would wait for it.
            let uuid = try await shard.primary.sql("SELECT @@global.server_uuid").scalar ?? ""
            try await TabletManagerServer.with(position: { "MySQL56/\(uuid):1-10000" }) { tablet in
                try shard.setPrimary(port: shard.primary.mysqld.configuration.port, tabletPort: tablet.port)
                try await expectFailure(
                    shard,
                    "the applier stops again each time that it is started",
                    ["--tablet-manager-protocol=grpc"]
                ) { _ in
                    while try FileTree.list(shard.dataRoot)?.isEmpty != false { await pauseBetweenLooks() }
                    try await stopApplier(shard)
                }
            }
        }
    }

    /// Stops it whenever it runs, for as long as the tablet's folder is there.
    private func stopApplier(_ shard: TestShard) async throws {
        while let tablet = try FileTree.list(shard.dataRoot)?.first {
            let socket = shard.dataRoot.appending(tablet).appending("mysql.sock")
            let administrator = MySQLConnection.Configuration(
                address: .unixSocket(socket),
                credentials: .init(user: "vt_dba")
            )
            // Until the server is there, and when it has gone, nobody listens.
            try? await MySQLConnection.with(administrator, on: shard.eventLoops) { connection in
                while true { _ = try await connection.query("STOP REPLICA SQL_THREAD") }
            }
            await pauseBetweenLooks()
        }
    }

    @Test("a primary that was set back: the backup has what the primary has not")
    func diverged() async throws {
        try await withBase { shard in
            try await shard.primary.sql("RESET BINARY LOGS AND GTIDS")
            try await expectFailure(shard, "holds transactions that the primary zone1-0000000101 does not have")
        }
    }
}
