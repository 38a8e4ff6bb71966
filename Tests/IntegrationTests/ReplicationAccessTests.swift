import MySQLControl
import MySQLWire
import TabletRPC
import TestKit
import Testing
import Topology
import Vocabulary
import Workflows

/// What a primary's mysqld refuses a replica, asked before the restore.
@Suite(
    "whether a primary can be replicated from",
    .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set"),
    .timeLimit(.minutes(60))
)
struct ReplicationAccessTests {
    private static let products: [TestServers.Product] =
        [.mysql] + (RealComponents.mysql80Root == nil ? [] : [.mysql80])
        + (RealComponents.runsMariaDB ? [.mariaDB] : [])

    private func tablet(_ shard: TestShard) -> TabletRecord {
        TabletRecord(
            alias: TabletAlias(cell: "zone1", uid: 101),
            kind: .primary,
            keyspace: "commerce",
            shard: "0",
            mysqlHostname: "127.0.0.1",
            mysqlPort: shard.primary.mysqld.configuration.port
        )
    }

    private func refusal(
        _ shard: TestShard,
        _ user: String,
        _ password: String = "s3cret",
        tls: MySQLConnection.TLSMode = .disabled
    ) async throws -> String? {
        let tablet = tablet(shard)
        let access = MySQLReplicationAccess(
            credentials: .init(user: user, password: password),
            tls: tls,
            serverID: 4_000_000,
            eventLoops: shard.eventLoops
        )
        do {
            try await access.check(tablet)
            return nil
        } catch let error as PrimaryError {
            return error.description
        }
    }

    private func expect(
        _ shard: TestShard,
        _ user: String,
        _ password: String = "s3cret",
        errno: Int,
        hint: String
    )
        async throws
    {
        let text = try await refusal(shard, user, password) ?? "none"
        #expect(text.contains("(errno \(errno))") && text.contains(hint), "\(user): \(text)")
    }

    @Test("every refusal has its number and its hint, and who may replicate is let in", arguments: products)
    func refusals(_ product: TestServers.Product) async throws {
        try await TestShard.with(product) { shard in
            let isMySQL = product != .mariaDB
            try await shard.primary.sql("SET sql_log_bin = 0")
            for (user, clause) in [
                ("replica", ""), ("reader", ""), ("locked", "ACCOUNT LOCK"),
                ("expired", "PASSWORD EXPIRE"), ("tls", "REQUIRE SSL"), ("x509", "REQUIRE X509"),
            ] {
                try await shard.primary.sql(
                    "SET sql_log_bin = 0",
                    "CREATE USER \(user)@'%' IDENTIFIED BY 's3cret' \(isMySQL || clause.hasPrefix("REQUIRE") ? clause : "")",
                    isMySQL || clause.isEmpty || clause.hasPrefix("REQUIRE")
                        ? "DO 0" : "ALTER USER \(user)@'%' \(clause)",
                    user == "reader" ? "DO 0" : "GRANT REPLICATION SLAVE ON *.* TO \(user)@'%'"
                )
            }
            if !isMySQL { try await shard.primary.sql("SET GLOBAL disconnect_on_expired_password = ON") }
            #expect(try await refusal(shard, "replica") == nil)
            try await expect(shard, "replica", "wrong", errno: 1045, hint: "HINT: check --db-repl-user")
            try await expect(shard, "nobody_here", errno: 1045, hint: "HINT: check --db-repl-user")
            try await expect(shard, "locked", errno: isMySQL ? 3118 : 4151, hint: "ACCOUNT UNLOCK")
            try await expect(shard, "expired", errno: 1862, hint: "the password has expired")
            for user in ["tls", "x509"] {
                try await expect(shard, user, errno: 1045, hint: "REQUIRE SSL or REQUIRE X509")
            }
            let reader = try await refusal(shard, "reader") ?? ""
            #expect(reader.contains("does not let reader replicate"))
            #expect(reader.contains("HINT: GRANT REPLICATION SLAVE ON *.* to the user of --db-repl-user"))

            try await shard.primary.sql("SET GLOBAL require_secure_transport = ON")
            try await expect(shard, "replica", errno: isMySQL ? 3159 : 1045, hint: "require_secure_transport")
            try await shard.primary.sql("SET GLOBAL require_secure_transport = OFF")
            if isMySQL {
                for mode in ["ON_PERMISSIVE", "OFF_PERMISSIVE", "OFF"] {
                    try await shard.primary.sql("SET GLOBAL gtid_mode = \(mode)")
                }
                #expect(try await refusal(shard, "replica")?.contains("has gtid_mode = OFF; HINT:") == true)
            }
        }
    }

    @Test("a server with no user at all for this host", arguments: products)
    func hostNotAllowed(_ product: TestServers.Product) async throws {
        try await TestShard.with(product) { shard in
            let others = try await shard.primary.sql(
                "SELECT user, host FROM mysql.user WHERE host NOT IN ('localhost', '')"
            ).rows
            for user in others {
                try await shard.primary.sql(
                    "SET sql_log_bin = 0",
                    "DROP USER \(SQLText.literal(user[0] ?? ""))@\(SQLText.literal(user[1] ?? ""))"
                )
            }
            // The server lets every host in, once it has had a user for all, until it reads its tables anew.
            try await shard.primary.sql(
                "SET sql_log_bin = 0",
                "CREATE USER replica@'10.9.8.7' IDENTIFIED BY 's3cret'",
                "FLUSH PRIVILEGES"
            )
            try await expect(shard, "replica", errno: 1130, hint: "is not made for the host that connects")
        }
    }

    @Test(
        "a primary that demands TLS is asked with the TLS that replication has",
        arguments: products.filter(\.isMySQL)
    )
    func encrypted(_ product: TestServers.Product) async throws {
        try await TestShard.with(product) { shard in
            try await shard.primary.sql(
                "SET sql_log_bin = 0",
                "CREATE USER encrypted@'%' IDENTIFIED BY 's3cret' REQUIRE SSL",
                "GRANT REPLICATION SLAVE ON *.* TO encrypted@'%'"
            )
            var source = ReplicationSource(host: "", port: 0, user: "encrypted", password: "s3cret")
            func ask(_ source: ReplicationSource) async throws -> [String: String]? {
                let primary = MySQLPrimary(
                    credentials: .init(user: source.user, password: source.password),
                    tls: source.connectionTLS,
                    eventLoops: shard.eventLoops
                )
                return try await primary.settings(["innodb_page_size"], of: tablet(shard))
            }
            let inClear = source
            await #expect(throws: PrimaryError.self) { _ = try await ask(inClear) }
            source.tls = ReplicationSource.TLS()
            #expect(try await ask(source) == ["innodb_page_size": "16384"])
            #expect(try await refusal(shard, "encrypted", tls: source.connectionTLS) == nil)
        }
    }
}
