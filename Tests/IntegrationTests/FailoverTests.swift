import Glibc
import MySQLControl
import MySQLWire
import NIOCore
import SystemPackage
import TestKit
import Testing

/// The shard gets another primary while a pass catches up.
@Suite(
    "failover on MySQL",
    .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set"),
    .timeLimit(.minutes(60))
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

    private func executed(_ server: RunningMysqld) async throws -> String {
        try await server.sql("SELECT @@global.gtid_executed").scalar ?? ""
    }

    /// Runs a pass whose primary tells `goal`, and puts `replica` in its place once `body` has ended.
    ///
    /// However slow the machine: with a goal that is not reached, the pass cannot end before that.
    private func failOver(
        _ shard: TestShard,
        to replica: RunningMysqld,
        goal: String,
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws -> ProgramRun {
        let told = LockedBox(goal)
        return try await TabletManagerServer.with(position: { "MySQL56/\(told.get())" }) { tablet in
            try shard.setPrimary(port: shard.primary.mysqld.configuration.port, tabletPort: tablet.port)
            return try await shard.vtbackup("--tablet-manager-protocol=grpc") { _ in
                try await body()
                told.set(try await executed(replica))
                try shard.setPrimary(port: replica.mysqld.configuration.port, tabletPort: tablet.port)
            }
        }
    }

    @Test("a new primary that has everything is followed, and the pass succeeds")
    func followed() async throws {
        try await withReplica { shard, replica in
            try await shard.primary.sql("INSERT INTO vt_commerce.customer VALUES (1, 1)")
            let all = try await executed(shard.primary)
            while try await executed(replica) != all { await pauseBetweenLooks() }
            let awaited = try await shard.primary.transactionThatNeverComes()
            let run = try await failOver(shard, to: replica, goal: "\(all),\(awaited)") {
                try await shard.waitForPass(toExecute: all)
                try await replica.sql("STOP REPLICA", "RESET REPLICA ALL")
                // The pass can get the first of these from the new primary only.
                try await replica.sql(
                    "SET SESSION gtid_next = '\(awaited)'",
                    "INSERT INTO vt_commerce.customer VALUES (2, 2)",
                    "SET SESSION gtid_next = 'AUTOMATIC'",
                    "INSERT INTO vt_commerce.customer VALUES (3, 3)"
                )
            }
            #expect(run.succeeded, "\(run.standardError.suffix(3000))")
            #expect(run.standardError.contains("following it"))
            let expected = try await replica.checksums(of: "vt_commerce")
            try shard.setPrimary(port: replica.mysqld.configuration.port)
            try await shard.withRestored { restored in
                let rows = try await restored.sql("SELECT COUNT(*) FROM vt_commerce.customer WHERE id < 3").scalar
                #expect(rows == "2")
                let found = try await restored.checksums(of: "vt_commerce")
                #expect(found.keys == expected.keys)
            }
        }
    }

    @Test("transactions that were lost with the old primary do not get into a backup")
    func lost() async throws {
        try await withReplica { shard, replica in
            let before = try await executed(shard.primary)
            while try await executed(replica) != before { await pauseBetweenLooks() }
            try await replica.sql("STOP REPLICA", "RESET REPLICA ALL")
            try await shard.primary.sql("INSERT INTO vt_commerce.customer VALUES (7, 7)")
            let all = try await executed(shard.primary)
            let run = try await failOver(
                shard,
                to: replica,
                goal: "\(all),\(try await shard.primary.transactionThatNeverComes())"
            ) {
                try await shard.waitForPass(toExecute: all)
            }
            #expect(run.exitCode == 1)
            #expect(
                run.standardError.contains("holds transactions that the primary zone1-0000000101 does not have"),
                "\(run.standardError.suffix(3000))"
            )
            #expect(try shard.backups().count == 1)
            try shard.setPrimary(port: replica.mysqld.configuration.port)
            let next = try await shard.vtbackup()
            #expect(next.succeeded, "\(next.standardError.suffix(3000))")
        }
    }
}
