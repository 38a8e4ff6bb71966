import Glibc
import MySQLControl
import MySQLWire
import NIOCore
import Streams
import SystemPackage
import TestKit
import Testing

/// The shard gets another primary while a pass catches up.
@Suite(
    "failover on MySQL",
    .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set"),
    .timeLimit(.minutes(20))
)
struct FailoverTests {
    /// A shard with a base backup, and a replica of its primary.
    private func withReplica(
        _ body: @escaping @Sendable (TestShard, RunningMysqld) async throws -> Void
    ) async throws {
        try await TestShard.with { shard in
            try await shard.primary.sql("CREATE TABLE vt_commerce.customer (id INT PRIMARY KEY, note INT)")
            let base = try await shard.vtbackup("--allow-first-backup")
            #expect(base.succeeded, "\(base.standardError.suffix(2000))")
            let mysqld = try await TestServers.shared.server(
                in: shard.folder.appending("b"),
                eventLoops: shard.eventLoops
            )
            try await mysqld.withServer { (replica: RunningMysqld) in
                var source = ReplicationSource(host: "127.0.0.1", port: 0, user: "vt_repl", password: "")
                source.port = shard.primary.mysqld.configuration.port
                try await replica.replicate(from: source)
                try await body(shard, replica)
            }
        }
    }

    /// A statement that takes a while on every replica that applies it.
    private func writeSlowly(_ shard: TestShard, seconds: Int) async throws {
        try await shard.primary.sql(
            "SET SESSION binlog_format = 'STATEMENT'",
            "INSERT INTO vt_commerce.customer SELECT 1, SLEEP(\(seconds))"
        )
    }

    private func executed(_ server: RunningMysqld) async throws -> String {
        try await server.sql("SELECT @@global.gtid_executed").scalar ?? ""
    }

    /// Waits until our replica is connected too.
    private func waitForReplicas(_ count: Int, _ shard: TestShard) async throws {
        let dumps = "SELECT COUNT(*) FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'"
        while try await shard.primary.sql(dumps).scalar != String(count) { await Task.yield() }
    }

    @Test("a new primary that has everything is followed, and the pass succeeds")
    func followed() async throws {
        try await withReplica { shard, replica in
            try await writeSlowly(shard, seconds: 8)
            let all = try await executed(shard.primary)
            while try await executed(replica) != all { await Task.yield() }
            let run = try await shard.vtbackup([]) { _ in
                try await waitForReplicas(2, shard)
                try await replica.sql("STOP REPLICA", "RESET REPLICA ALL")
                try await replica.sql("INSERT INTO vt_commerce.customer VALUES (2, 2)")
                try shard.setPrimary(port: replica.mysqld.configuration.port)
            }
            #expect(run.succeeded, "\(run.standardError.suffix(3000))")
            #expect(run.standardError.contains("following it"))
            let expected = try await replica.checksums(of: "vt_commerce")
            try await shard.withRestored { restored in
                let found = try await restored.checksums(of: "vt_commerce")
                #expect(found.keys == expected.keys)
            }
        }
    }

    @Test("transactions that were lost with the old primary do not get into a backup")
    func lost() async throws {
        try await withReplica { shard, replica in
            let before = try await executed(shard.primary)
            while try await executed(replica) != before { await Task.yield() }
            try await replica.sql("STOP REPLICA", "RESET REPLICA ALL")
            // Lost with the primary, and applied by us before the slow one.
            try await shard.primary.sql("INSERT INTO vt_commerce.customer VALUES (7, 7)")
            try await writeSlowly(shard, seconds: 8)
            let run = try await shard.vtbackup([]) { _ in
                try await waitForReplicas(1, shard)
                try shard.setPrimary(port: replica.mysqld.configuration.port)
            }
            #expect(run.exitCode == 1)
            #expect(
                run.standardError.contains("holds transactions that the primary zone1-0000000101 does not have"),
                "\(run.standardError.suffix(3000))"
            )
            #expect(try shard.backups().count == 1)
            let next = try await shard.vtbackup()
            #expect(next.succeeded, "\(next.standardError.suffix(3000))")
        }
    }
}
