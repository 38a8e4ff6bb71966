import Catalog
import FoundationEssentials
import MySQLControl
import MySQLWire
import Positions
import SystemPackage
import TestKit
import Testing

/// Passes while the primary is written to and its schema changes: the result must be its history at exactly one position.
@Suite(
    "vtbackup under write load",
    .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set"),
    .timeLimit(.minutes(60))
)
struct LoadTests {
    /// Twenty for the claim (`VTB_LOAD_PASSES=20`), few in every run.
    private var passes: Int { ProcessInfo.processInfo.environment["VTB_LOAD_PASSES"].flatMap { Int($0) } ?? 3 }

    @Test("row checksums and GTID sets are equal at the backup's position")
    func equalAtPosition() async throws {
        try await TestShard.with { shard in
            try await withTemporaryFolder { folder in
                let mysqld = try await TestServers.shared.server(
                    in: folder.appending("o"),
                    eventLoops: shard.eventLoops
                )
                try await mysqld.withServer { oracle in
                    try await oracle.replicate(
                        from: ReplicationSource(
                            host: "127.0.0.1",
                            port: shard.primary.mysqld.configuration.port,
                            user: "vt_repl",
                            password: ""
                        )
                    )
                    try await oracle.sql("STOP REPLICA")
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { try await write(to: shard.primary) }
                        group.addTask { try await changeSchema(of: shard.primary) }
                        for number in 1...passes { try await pass(number, shard, oracle) }
                        group.cancelAll()
                        while let _ = await group.nextResult() {}
                    }
                }
            }
        }
    }

    private func pass(_ number: Int, _ shard: TestShard, _ oracle: RunningMysqld) async throws {
        let run = try await shard.vtbackup(
            number == 1 ? "--allow-first-backup" : "--min-retention-time=1ms",
            "--min-retention-count=2"
        )
        try #require(run.succeeded, "pass \(number): \(run.standardError.suffix(3000))")
        let check = try await shard.verifyIndependently()
        #expect(check.succeeded, "pass \(number): \(check.standardOutput)")
        guard case .mysql56(let position)? = try shard.newestManifest().position else {
            Issue.record("pass \(number): no position")
            return
        }
        let text = SQLText.literal(position.description)
        // The oracle replays the primary's history up to this very transaction.
        try await oracle.sql(
            // Who replicates is said at each start, and stored nowhere.
            "START REPLICA UNTIL SQL_AFTER_GTIDS = \(text) USER = 'vt_repl' PASSWORD = ''",
            "SELECT wait_for_executed_gtid_set(\(text), 3600)",
            "STOP REPLICA"
        )
        let reached = try GTIDSet(try await oracle.sql("SELECT @@global.gtid_executed").scalar ?? "")
        #expect(reached == position, "pass \(number)")
        let expected = try await oracle.checksums(of: "vt_commerce")
        try await shard.withRestored { restored in
            let found = try GTIDSet(try await restored.sql("SELECT @@global.gtid_executed").scalar ?? "")
            #expect(found == position, "pass \(number)")
            #expect(try await restored.checksums(of: "vt_commerce") == expected, "pass \(number)")
        }
        #expect(!expected.isEmpty)
    }

    /// Some three hundred statements a second; without a bound the primary outruns its replicas, and every pass has more
    /// to catch up with than the one before.
    private func write(to primary: RunningMysqld) async throws {
        try await primary.withConnection { connection in
            _ = try await connection.query(
                "CREATE TABLE IF NOT EXISTS vt_commerce.ledger (id BIGINT PRIMARY KEY AUTO_INCREMENT, v BIGINT, pad VARCHAR(400))"
            )
            while !Task.isCancelled {
                _ = try await connection.query(
                    "INSERT INTO vt_commerce.ledger (v, pad) VALUES (floor(rand() * 1000), repeat('p', 300)), (1, ''), (2, NULL)"
                )
                _ = try await connection.query("UPDATE vt_commerce.ledger SET v = v + 1 ORDER BY id DESC LIMIT 5")
                _ = try await connection.query("DELETE FROM vt_commerce.ledger ORDER BY id LIMIT 1")
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }

    private func changeSchema(of primary: RunningMysqld) async throws {
        try await primary.withConnection { connection in
            var number = 0
            while !Task.isCancelled {
                number += 1
                _ = try await connection.run(
                    "CREATE TABLE vt_commerce.t\(number) (id INT PRIMARY KEY, a INT); INSERT INTO vt_commerce.t\(number) VALUES (1, \(number)), (2, 0)"
                )
                _ = try await connection.run(
                    "ALTER TABLE vt_commerce.t\(number) ADD COLUMN b VARCHAR(20) DEFAULT 'new', ADD INDEX (a)"
                )
                if number > 4 {
                    _ = try await connection.run(
                        "TRUNCATE vt_commerce.t\(number - 2); DROP TABLE vt_commerce.t\(number - 4)"
                    )
                }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }
}
