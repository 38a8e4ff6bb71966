import NIOCore
import NIOPosix
import Synchronization
import SystemPackage
import Testing

@testable import MySQLWire

/// The one type that needs a socket; its conversation is tested by values elsewhere.
@Suite("A connection", .timeLimit(.minutes(5)))
struct MySQLConnectionTests {
    private struct Failure: Error, Equatable {}

    private func configuration(_ address: MySQLConnection.Address) -> MySQLConnection.Configuration {
        .init(address: address, credentials: .init(user: "vt_dba", password: "secret"))
    }

    private static let one: [ByteBuffer] = [
        ServerPackets.columnCount(1), ServerPackets.column("x"), ServerPackets.row(["1"]), ServerPackets.okAfterRows(),
    ]

    @Test("logs in, runs statements and closes")
    func statements() async throws {
        let (closings, closed) = AsyncStream.makeStream(of: Void.self)
        try await ScriptedServer.with(
            answer: { $0 == "SELECT 1" ? .packets(Self.one) : .packets([ServerPackets.error(1064, "42000", $0)]) },
            closed: { closed.finish() }
        ) { address, group in
            try await MySQLConnection.with(configuration(address), on: group) { connection in
                #expect(connection.serverVersion == "9.7.4")
                #expect(connection.connectionID == 4711)
                #expect(!connection.usesTLS)
                let before = try await connection.query("SELECT 1")
                #expect(before.scalar == "1")
                let error = await #expect(throws: MySQLWireError.self) { try await connection.query("SELEC 1") }
                #expect(error == MySQLWireError(.server(errno: 1064, sqlState: "42000"), "SELEC 1"))
                let after = try await connection.query("SELECT 1")
                #expect(after.scalar == "1")
            }
            for await _ in closings {}
        }
    }

    @Test("rows one by one: more than a result may have, and the server's error between them")
    func rowByRow() async throws {
        let rows = (1...12_000).map { ServerPackets.row([String($0)]) }
        let head = [ServerPackets.columnCount(1), ServerPackets.column("x")]
        try await ScriptedServer.with(answer: { statement in
            .packets(
                head + rows + [
                    statement == "BAD" ? ServerPackets.error(1317, "70100", "") : ServerPackets.okAfterRows()
                ]
            )
        }) { address, group in
            try await MySQLConnection.with(configuration(address), on: group) { connection in
                let seen = Mutex(0)
                try await connection.forEachRow("SELECT 1") { row in
                    seen.withLock { $0 += 1 }
                    #expect(row.count == 1)
                }
                #expect(seen.withLock { $0 } == 12_000)
                let error = await #expect(throws: MySQLWireError.self) {
                    try await connection.forEachRow("BAD") { _ in }
                }
                #expect(error?.serverErrno == 1317)
            }
            try await MySQLConnection.with(configuration(address), on: group) { connection in
                let error = await #expect(throws: MySQLWireError.self) { try await connection.query("SELECT 1") }
                #expect(error?.code == .resultTooLarge)
            }
        }
    }

    @Test("several statements at once give all their results")
    func severalStatements() async throws {
        let answers = [ServerPackets.ok(affectedRows: 2, moreResults: true)] + Self.one
        try await ScriptedServer.with(answer: { _ in .packets(answers) }) { address, group in
            try await MySQLConnection.with(configuration(address), on: group) { connection in
                let results = try await connection.run("DELETE FROM t; SELECT 1")
                #expect(results.map(\.affectedRows) == [2, 0])
                #expect(results.last?.scalar == "1")
            }
        }
    }

    @Test("a server that goes away is a lost connection, for this statement and for every later one")
    func serverGone() async throws {
        try await ScriptedServer.with(answer: { _ in .hangUp }) { address, group in
            try await MySQLConnection.with(configuration(address), on: group) { connection in
                for _ in 0..<3 {
                    let error = await #expect(throws: MySQLWireError.self) { try await connection.query("SHUTDOWN") }
                    #expect(error?.code == .connectionLost)
                }
            }
        }
    }

    @Test("the error of the body passes through, and the connection is closed")
    func bodyFails() async throws {
        let (closings, closed) = AsyncStream.makeStream(of: Void.self)
        try await ScriptedServer.with(closed: { closed.finish() }) { address, group in
            await #expect(throws: Failure()) {
                try await MySQLConnection.with(configuration(address), on: group) { _ in throw Failure() }
            }
            for await _ in closings {}
        }
    }

    @Test("a cancelled statement throws and closes the connection")
    func cancelled() async throws {
        let (closings, closed) = AsyncStream.makeStream(of: Void.self)
        let (statements, statement) = AsyncStream.makeStream(of: Void.self)
        let silent: @Sendable (String) -> ScriptedServer.Answer = { _ in
            statement.finish()
            return .silence
        }
        try await ScriptedServer.with(answer: silent, closed: { closed.finish() }) { address, group in
            let configuration = configuration(address)
            let task = Task {
                try await MySQLConnection.with(configuration, on: group) { try await $0.query("SELECT SLEEP(1000)") }
            }
            for await _ in statements {}
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            for await _ in closings {}
        }
    }

    @Test("a server that never greets is given up when the time is over")
    func silent() async throws {
        try await ScriptedServer.with(greets: false) { address, group in
            var configuration = configuration(address)
            configuration.connectTimeout = .milliseconds(20)
            let error = await #expect(throws: MySQLWireError.self) {
                try await MySQLConnection.with(configuration, on: group) { _ in Issue.record("nobody logged in") }
            }
            #expect(error?.code == .cannotConnect(errno: 2002))
            #expect(error?.message == "deadline exceeded: connecting to MySQL at \(address)")
        }
    }

    @Test("where nobody listens, the error says where: 2002 for a socket, 2003 for TCP")
    func nobody() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let socket = await #expect(throws: MySQLWireError.self) {
            try await MySQLConnection.with(configuration(.unixSocket("/var/tmp/no/such.sock")), on: group) { _ in }
        }
        #expect(socket?.code == .cannotConnect(errno: 2002))
        #expect(socket?.message.hasPrefix("net.Dial(/var/tmp/no/such.sock) to local server failed: ") == true)
        #expect(socket?.description.hasSuffix("(errno 2002) (sqlstate HY000)") == true)
        let tcp = await #expect(throws: MySQLWireError.self) {
            try await MySQLConnection.with(configuration(.tcp(host: "127.0.0.1", port: 1)), on: group) { _ in }
        }
        #expect(tcp?.code == .cannotConnect(errno: 2003))
        #expect(tcp?.message.hasPrefix("net.Dial(127.0.0.1:1) to server failed: ") == true)
    }

    @Test("addresses print as servers are named")
    func addresses() {
        #expect("\(MySQLConnection.Address.tcp(host: "db1", port: 3306))" == "db1:3306")
        #expect("\(MySQLConnection.Address.tcp(host: "::1", port: 3306))" == "[::1]:3306")
        #expect("\(MySQLConnection.Address.unixSocket("/tmp/mysql.sock"))" == "/tmp/mysql.sock")
    }
}
