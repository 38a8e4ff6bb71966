import Glibc
import MySQLControl
import MySQLWire
import NIOCore
import Streams
import SystemPackage
import TestKit
import Testing

/// What ends a catch-up that cannot succeed, on a real server: soon, and with a name.
@Suite(
    "catch-up that cannot succeed, on MySQL",
    .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set"),
    .timeLimit(.minutes(20))
)
struct CatchUpTests {
    /// Far below the limits for what may heal.
    private static let soon = Duration.seconds(60)

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
        #expect(clock.now - begun < Self.soon)
        #expect(try shard.backups().count == 1)
        #expect(try FileTree.list(shard.dataRoot) == [])
    }

    @Test("purged binary logs")
    func purged() async throws {
        try await withBase { shard in
            try await shard.primary.sql("FLUSH BINARY LOGS", "INSERT INTO vt_commerce.customer VALUES (2, 2)")
            let newest = try await shard.primary.sql("SHOW BINARY LOGS").rows.last?.first ?? nil
            try await shard.primary.sql("PURGE BINARY LOGS TO \(SQLText.literal(newest ?? ""))")
            try await expectFailure(shard, "the primary no longer has the binary logs since the backup")
        }
    }

    @Test("a user that may not replicate, and one that does not exist")
    func credentials() async throws {
        try await withBase { shard in
            try await shard.primary.sql(
                "SET sql_log_bin = 0",
                "CREATE USER reader@'%' IDENTIFIED BY 's3cret'"
            )
            try await expectFailure(
                shard,
                "HINT: GRANT REPLICATION SLAVE",
                ["--db-repl-user=reader", "--db-repl-password=s3cret"]
            )
            try await expectFailure(shard, "HINT: check --db-repl-user", ["--db-repl-user=nobody_here"])
        }
    }

    @Test("an applier that somebody stops again and again")
    func stoppedApplier() async throws {
        try await withBase { shard in
            // Long enough for the lock to be asked for while it is applied: nothing is applied after it.
            try await shard.primary.sql(
                "SET SESSION binlog_format = 'STATEMENT'",
                "INSERT INTO vt_commerce.customer SELECT 2, SLEEP(20)"
            )
            try await expectFailure(shard, "the applier stops again each time that it is started") { _ in
                while try FileTree.list(shard.dataRoot)?.isEmpty != false { await Task.yield() }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    // Holds the lock until the server has gone.
                    group.addTask {
                        try await administer(shard, "LOCK TABLES vt_commerce.customer READ", then: "SELECT SLEEP(3600)")
                    }
                    // Stops what is started, as soon as it is.
                    group.addTask { try await administer(shard, "STOP REPLICA SQL_THREAD", then: nil) }
                    try await group.waitForAll()
                }
            }
        }
    }

    /// Runs statements on our server as its administrator, again and again, for as long as the tablet's folder is there.
    private func administer(_ shard: TestShard, _ statement: String, then next: String?) async throws {
        while let tablet = try FileTree.list(shard.dataRoot)?.first {
            let socket = shard.dataRoot.appending(tablet).appending("mysql.sock")
            let administrator = MySQLConnection.Configuration(
                address: .unixSocket(socket),
                credentials: .init(user: "vt_dba")
            )
            // Until the server is there, and when it has gone, nobody listens.
            try? await MySQLConnection.with(administrator, on: shard.eventLoops) { connection in
                _ = try await connection.query(statement)
                if let next { _ = try await connection.query(next) }
            }
            await Task.yield()
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
