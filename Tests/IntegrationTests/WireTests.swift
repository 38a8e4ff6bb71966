import MySQLControl
import MySQLWire
import NIOPosix
import SystemPackage
import TestKit
import Testing

/// The client protocol against a real MySQL server.
@Suite(
    "MySQLWire on MySQL",
    .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set"),
    .timeLimit(.minutes(60))
)
struct WireTests {
    private func tcp(_ server: RunningMysqld) -> MySQLConnection.Address {
        .tcp(host: "127.0.0.1", port: server.mysqld.configuration.port)
    }

    private func failure(_ body: () async throws -> Void) async -> MySQLWireError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? MySQLWireError
        }
    }

    @Test("every way to log in with caching_sha2_password")
    func authentication() async throws { try await expectAllWays(on: .mysql, plugin: "caching_sha2_password") }

    @Test(
        "every way to log in on MySQL 8.0, with its old method as well",
        .needs(.mysql80),
        arguments: ["caching_sha2_password", "mysql_native_password"]
    )
    func authentication80(_ plugin: String) async throws { try await expectAllWays(on: .mysql80, plugin: plugin) }

    private func expectAllWays(on product: TestServers.Product, plugin: String) async throws {
        try await withTestServer(product) { server, eventLoops in
            try await server.sql(
                "CREATE USER 'alice'@'%' IDENTIFIED WITH \(plugin) BY 'it''s \\\\ secret'",
                "CREATE USER 'nobody'@'%' IDENTIFIED WITH \(plugin) BY ''"
            )
            let alice = MySQLConnection.Credentials(user: "alice", password: "it's \\ secret")
            let socket = MySQLConnection.Address.unixSocket(server.mysqld.configuration.socket)
            var identity = MySQLConnection.TLSSettings()
            identity.verification = .certificateAuthority
            identity.authorities = server.mysqld.directory.data.appending("ca.pem").string
            // RSA first: the cache is empty, so that the password itself must cross in clear TCP. FLUSH empties it again.
            let ways: [(String, MySQLConnection.Address, MySQLConnection.TLSMode, Bool)] = [
                ("full, RSA", tcp(server), .disabled, false), ("fast", tcp(server), .disabled, false),
                ("flush", tcp(server), .disabled, false), ("full, socket", socket, .disabled, false),
                ("flush", tcp(server), .disabled, false), ("full, TLS", tcp(server), .required(identity), true),
                ("fast, TLS preferred", tcp(server), .preferred, true),
                ("preferred on a socket", socket, .preferred, false),
            ]
            for (name, address, tls, encrypted) in ways {
                if name == "flush" {
                    try await server.sql("FLUSH PRIVILEGES")
                    continue
                }
                let configuration = MySQLConnection.Configuration(address: address, credentials: alice, tls: tls)
                let (user, usesTLS) = try await MySQLConnection.with(configuration, on: eventLoops) {
                    (try await $0.query("SELECT current_user()").scalar, $0.usesTLS)
                }
                #expect(user == "alice@%", "\(name)")
                #expect(usesTLS == encrypted, "\(name)")
            }
            let empty = MySQLConnection.Configuration(address: tcp(server), credentials: .init(user: "nobody"))
            let one = try await MySQLConnection.with(empty, on: eventLoops) { try await $0.query("SELECT 1").scalar }
            #expect(one == "1")
        }
    }

    /// Of thirty names that nobody has, some are asked for each method that the server knows.
    @Test("sha256_password, and users that do not exist, whichever method the server asks them for")
    func plainSHA2() async throws {
        try await withTestServer { server, eventLoops in
            try await server.sql("CREATE USER 'old'@'%' IDENTIFIED WITH sha256_password BY 'it''s secret'")
            let socket = MySQLConnection.Address.unixSocket(server.mysqld.configuration.socket)
            let ways: [(MySQLConnection.Address, MySQLConnection.TLSMode)] = [
                (tcp(server), .disabled), (tcp(server), .preferred), (socket, .disabled),
            ]
            for (address, tls) in ways {
                let configuration = MySQLConnection.Configuration(
                    address: address,
                    credentials: .init(user: "old", password: "it's secret"),
                    tls: tls
                )
                let user = try await MySQLConnection.with(configuration, on: eventLoops) {
                    try await $0.query("SELECT current_user()").scalar
                }
                #expect(user == "old@%")
                for name in 1...30 {
                    for password in ["", "some"] {
                        var stranger = configuration
                        stranger.credentials = .init(user: "stranger\(name)", password: password)
                        let denied = await failure { try await MySQLConnection.with(stranger, on: eventLoops) { _ in } }
                        #expect(denied?.serverErrno == 1045, "\(name)")
                    }
                }
            }
        }
    }

    @Test("wrong passwords, unverified certificates and dead servers are told apart")
    func failures() async throws {
        try await withTestServer { server, eventLoops in
            try await server.sql("CREATE USER 'bob'@'%' IDENTIFIED BY 'right'")
            let wrong = MySQLConnection.Configuration(
                address: tcp(server),
                credentials: .init(user: "bob", password: "wrong")
            )
            let denied = await failure { try await MySQLConnection.with(wrong, on: eventLoops) { _ in } }
            #expect(denied?.serverErrno == 1045)
            #expect(denied.map { !$0.description.contains("wrong") } == true)

            // Nobody signed the server's own certificate for the system's authorities.
            var strict = MySQLConnection.TLSSettings()
            strict.verification = .identity
            let credentials = MySQLConnection.Credentials(user: "bob", password: "right")
            let unverified = MySQLConnection.Configuration(
                address: tcp(server),
                credentials: credentials,
                tls: .required(strict)
            )
            let refused = await failure { try await MySQLConnection.with(unverified, on: eventLoops) { _ in } }
            #expect(refused?.code == .tls)

            let nobody = MySQLConnection.Configuration(
                address: .tcp(host: "127.0.0.1", port: freePort()),
                credentials: credentials
            )
            let noServer = await failure { try await MySQLConnection.with(nobody, on: eventLoops) { _ in } }
            #expect(noServer?.code == .cannotConnect(errno: 2003))
            let noSocket = MySQLConnection.Configuration(
                address: .unixSocket("/var/tmp/nowhere.sock"),
                credentials: credentials
            )
            let missing = await failure { try await MySQLConnection.with(noSocket, on: eventLoops) { _ in } }
            #expect(missing?.code == .cannotConnect(errno: 2002))

            // The server closes the connection under a statement.
            let gone = await failure {
                try await server.withConnection { connection in
                    _ = try await connection.query("KILL \(connection.connectionID)")
                    _ = try await connection.query("SELECT 1")
                }
            }
            #expect(gone?.serverErrno == 1317 || gone?.code == .connectionLost)
        }
    }

    @Test("results of every size: oversized packets arrive whole, too many rows or bytes are an error")
    func results() async throws {
        try await withTestServer { server, _ in
            let long = try await server.sql("SET GLOBAL max_allowed_packet = 67108864", "SELECT 1")
            #expect(long.scalar == "1")
            let values = try await server.withConnection { connection in
                try await connection.query("SELECT repeat('x', 17 * 1024 * 1024) AS big, NULL AS nothing, '' AS blank")
            }
            #expect(values.value("big")?.utf8.count == 17 << 20)
            #expect(values.rows[0][1] == nil)
            #expect(values.rows[0][2] == "")

            let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %) SELECT i FROM n"
            let session = "SET SESSION cte_max_recursion_depth = 100000"
            let most = try await server.sql(session, rows.replacing("%", with: "10000"))
            #expect(most.rows.count == 10_000)
            let tooMany = await failure {
                try await server.withConnection {
                    _ = try await $0.run("\(session); \(rows.replacing("%", with: "10001"))")
                }
            }
            #expect(tooMany?.code == .resultTooLarge)
            let tooMuch = await failure {
                try await server.withConnection { connection in
                    _ = try await connection.query(
                        "SELECT repeat('x', 30000000) UNION ALL SELECT repeat('y', 30000000) UNION ALL SELECT repeat('z', 30000000)"
                    )
                }
            }
            #expect(tooMuch?.code == .resultTooLarge)

            // A statement of more than 16 MiB goes out in parts.
            let statement = "SELECT length('" + String(repeating: "y", count: 17 << 20) + "')"
            #expect(try await server.sql(statement).scalar == "\(17 << 20)")

            // Several answers, and an error in the middle: the connection lives on.
            try await server.withConnection { connection in
                let answers = try await connection.run("SELECT 1; SELECT 2; DO 0")
                #expect(answers.map(\.scalar) == ["1", "2", nil])
                let error = await failure { _ = try await connection.run("SELECT 1; SELECT nonsense; SELECT 3") }
                #expect(error?.serverErrno == 1054)
                #expect(try await connection.query("SELECT 4").scalar == "4")
            }
        }
    }

    @Test("a cancelled statement closes its connection, and the server ends it")
    func cancellation() async throws {
        try await withTestServer { server, _ in
            let outcome = await withTaskGroup(of: Bool.self) { group in
                group.addTask {
                    do {
                        _ = try await server.query("SELECT sleep(60)")
                        return false
                    } catch {
                        return Task.isCancelled
                    }
                }
                // The statement must be running before it is cancelled.
                while (try? await server.sql(
                    "SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'SELECT sleep(60)%'"
                ).scalar) != "1" {}
                group.cancelAll()
                return await group.next() ?? false
            }
            #expect(outcome)
        }
    }
}
