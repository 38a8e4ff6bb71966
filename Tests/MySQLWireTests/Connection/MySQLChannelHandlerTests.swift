import NIOCore
import NIOEmbedded
import Synchronization
import SystemPackage
import Testing

@testable import MySQLWire

@Suite("The connection's handler")
struct MySQLChannelHandlerTests {
    /// A channel with the handler in it, and the server's side of the conversation.
    private final class Conversation {
        let channel: EmbeddedChannel
        let login: EventLoopFuture<HandshakeStateMachine.Outcome>

        init(
            tls: MySQLConnection.TLSMode = .disabled,
            address: MySQLConnection.Address = .unixSocket("/tmp/mysql.sock")
        ) throws {
            channel = EmbeddedChannel()
            let promise = channel.embeddedEventLoop.makePromise(of: HandshakeStateMachine.Outcome.self)
            login = promise.futureResult
            let configuration = MySQLConnection.Configuration(
                address: address,
                credentials: .init(user: "vt_dba", password: "secret"),
                tls: tls
            )
            try channel.pipeline.syncOperations.addHandler(
                MySQLChannelHandler(configuration: configuration, handshake: promise)
            )
            channel.connect(to: try SocketAddress(unixDomainSocketPath: "/tmp/mysql.sock"), promise: nil)
        }

        /// Sends one packet of the server.
        func server(_ payload: ByteBuffer, sequence: UInt8) throws {
            try channel.writeInbound(PacketDecoder.encode(payload, sequence: sequence).bytes)
        }

        /// The next packet of the client: its sequence number and payload.
        func client() throws -> PacketDecoder.Packet? {
            guard let bytes = try channel.readOutbound(as: ByteBuffer.self) else { return nil }
            var decoder = PacketDecoder(limit: 1 << 25)
            decoder.feed(bytes)
            return try decoder.next()
        }

        func logIn() throws {
            try server(ServerPackets.greeting(), sequence: 0)
            _ = try client()
            try server(ServerPackets.ok(), sequence: 2)
        }

        func run(_ sql: String) -> EventLoopFuture<[ResultSet]> {
            let promise = channel.embeddedEventLoop.makePromise(of: [ResultSet].self)
            let payload = ByteBuffer(string: "\u{3}\(sql)")
            channel.writeAndFlush(
                MySQLChannelHandler.Command(payload: payload, limits: .init(), promise: promise),
                promise: nil
            )
            return promise.futureResult
        }
    }

    // Futures are never waited for: what is not complete by now never will be, and would block the thread.

    private func outcome<Value: Sendable>(_ future: EventLoopFuture<Value>) -> Result<Value, any Error>? {
        let outcome = Mutex<Result<Value, any Error>?>(nil)
        future.whenComplete { result in outcome.withLock { $0 = result } }
        return outcome.withLock { $0 }
    }

    private func value<Value: Sendable>(_ future: EventLoopFuture<Value>) throws -> Value {
        try #require(outcome(future), "the answer is not complete").get()
    }

    private func error<Value: Sendable>(_ future: EventLoopFuture<Value>) -> MySQLWireError? {
        if case .failure(let error)? = outcome(future) { error as? MySQLWireError } else { nil }
    }

    @Test("logs in, and counts packets from the greeting on")
    func logIn() throws {
        let conversation = try Conversation()
        try conversation.server(ServerPackets.greeting(), sequence: 0)
        let answer = try #require(try conversation.client())
        #expect(answer.sequence == 1)
        #expect(try LoginPacket(answer.payload).user == "vt_dba")
        try conversation.server(ServerPackets.moreData([3]), sequence: 2)
        try conversation.server(ServerPackets.ok(), sequence: 3)
        #expect(try value(conversation.login).serverVersion == "9.7.4")
        #expect(conversation.channel.isActive)
    }

    @Test("logs in when everything comes byte by byte")
    func bytewise() throws {
        let conversation = try Conversation()
        for (payload, sequence) in [(ServerPackets.greeting(), UInt8(0)), (ServerPackets.ok(), 2)] {
            for byte in PacketDecoder.encode(payload, sequence: sequence).bytes.readableBytesView {
                try conversation.channel.writeInbound(ByteBuffer(bytes: [byte]))
            }
        }
        #expect(try value(conversation.login).connectionID == 4711)
    }

    @Test("a refused login is the server's error, and closes")
    func refused() throws {
        let conversation = try Conversation()
        try conversation.server(ServerPackets.greeting(), sequence: 0)
        try conversation.server(ServerPackets.error(1045), sequence: 2)
        #expect(error(conversation.login)?.serverErrno == 1045)
        #expect(!conversation.channel.isActive)
    }

    @Test("a server that is full says so instead of greeting")
    func tooMany() throws {
        let conversation = try Conversation()
        try conversation.server(ServerPackets.error(1040, "08004", "Too many connections"), sequence: 0)
        #expect(error(conversation.login)?.serverErrno == 1040)
        #expect(!conversation.channel.isActive)
    }

    @Test("runs one statement after the other, each from sequence number 0")
    func statements() throws {
        let conversation = try Conversation()
        try conversation.logIn()
        for number in ["1", "2"] {
            let result = conversation.run("SELECT \(number)")
            let command = try #require(try conversation.client())
            #expect(command == .init(sequence: 0, payload: ByteBuffer(string: "\u{3}SELECT \(number)")))
            let packets = [
                ServerPackets.columnCount(1), ServerPackets.column("x"), ServerPackets.row([number]),
                ServerPackets.okAfterRows(),
            ]
            for (index, packet) in packets.enumerated() { try conversation.server(packet, sequence: UInt8(index + 1)) }
            #expect(try value(result).last?.scalar == number)
        }
        #expect(conversation.channel.isActive)
    }

    @Test("a server's error ends the statement, not the connection")
    func statementError() throws {
        let conversation = try Conversation()
        try conversation.logIn()
        let failed = conversation.run("SELEC 1")
        try conversation.server(ServerPackets.error(1064, "42000", "syntax"), sequence: 1)
        #expect(error(failed)?.serverErrno == 1064)
        let next = conversation.run("SELECT 1")
        try conversation.server(ServerPackets.ok(), sequence: 1)
        #expect(try value(next).count == 1)
    }

    @Test("a second statement at once is refused, and the first one goes on")
    func busy() throws {
        let conversation = try Conversation()
        try conversation.logIn()
        let first = conversation.run("SELECT SLEEP(1)")
        _ = try conversation.client()
        #expect(error(conversation.run("SELECT 2"))?.code == .protocolViolation)
        #expect(try conversation.client() == nil)
        try conversation.server(ServerPackets.ok(affectedRows: 3), sequence: 1)
        #expect(try value(first).last?.affectedRows == 3)
    }

    @Test("a statement before the login is refused")
    func early() throws {
        let conversation = try Conversation()
        #expect(error(conversation.run("SELECT 1"))?.code == .protocolViolation)
        try conversation.logIn()
        #expect(try value(conversation.login).connectionID == 4711)
    }

    @Test("a server that goes away during the login or a statement is a lost connection")
    func serverGone() throws {
        let greeting = try Conversation()
        greeting.channel.close(promise: nil)
        #expect(error(greeting.login)?.code == .connectionLost)
        let statement = try Conversation()
        try statement.logIn()
        let result = statement.run("SHUTDOWN")
        statement.channel.close(promise: nil)
        #expect(error(result)?.code == .connectionLost)
        #expect(error(result)?.message.contains("/tmp/mysql.sock") == true)
    }

    struct Violation: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var payload: ByteBuffer
        var sequence: UInt8
    }

    @Test(
        "bytes that are not the protocol end the statement and the connection",
        arguments: [
            Violation(testDescription: "wrong sequence number", payload: ServerPackets.ok(), sequence: 2),
            Violation(testDescription: "a local file", payload: ByteBuffer(bytes: [0xfb, 65]), sequence: 1),
            Violation(testDescription: "an empty packet", payload: ByteBuffer(), sequence: 1),
        ]
    )
    func violations(_ test: Violation) throws {
        let conversation = try Conversation()
        try conversation.logIn()
        let result = conversation.run("SELECT 1")
        try conversation.server(test.payload, sequence: test.sequence)
        #expect(error(result)?.code == .protocolViolation)
        #expect(!conversation.channel.isActive)
    }

    @Test("a server that speaks unasked is cut off, and what comes later changes nothing")
    func unasked() throws {
        let conversation = try Conversation()
        try conversation.logIn()
        // Two packets in one piece, the second one behind the failure.
        var bytes = PacketDecoder.encode(ServerPackets.ok(), sequence: 3).bytes
        bytes.writeImmutableBuffer(PacketDecoder.encode(ServerPackets.ok(), sequence: 4).bytes)
        try conversation.channel.writeInbound(bytes)
        #expect(!conversation.channel.isActive)
        #expect(try value(conversation.login).connectionID == 4711)
    }

    @Test("before TLS the request goes out in clear, then the TLS client speaks")
    func startTLS() throws {
        let conversation = try Conversation(tls: .required(.init()), address: .tcp(host: "db.example", port: 3306))
        try conversation.server(ServerPackets.greeting(withTLS: true), sequence: 0)
        let request = try #require(try conversation.client())
        #expect(request.sequence == 1)
        #expect(request.payload.readableBytes == 32)
        let hello = try #require(try conversation.channel.readOutbound(as: ByteBuffer.self))
        #expect(hello.readableBytesView.prefix(2).elementsEqual([0x16, 3]))
        // No certificate is checked before the server has one to show: bytes that are not TLS end it.
        _ = try? conversation.channel.writeInbound(ByteBuffer(string: "not TLS at all"))
        #expect(error(conversation.login)?.code == .tls)
        #expect(!conversation.channel.isActive)
    }

    @Test(
        "bytes in clear behind the greeting are never taken for the beginning of what TLS brings",
        arguments: [1, 3, 7]
    )
    func injected(count: Int) throws {
        let conversation = try Conversation(tls: .required(.init()), address: .tcp(host: "db.example", port: 3306))
        var bytes = PacketDecoder.encode(ServerPackets.greeting(withTLS: true), sequence: 0).bytes
        bytes.writeBytes(PacketDecoder.encode(ServerPackets.ok(), sequence: 2).bytes.readableBytesView.prefix(count))
        try conversation.channel.writeInbound(bytes)
        #expect(error(conversation.login)?.code == .protocolViolation)
        #expect(!conversation.channel.isActive)
    }

    @Test("a certificate file that cannot be read is named", arguments: [true, false])
    func badFiles(isAuthority: Bool) throws {
        var settings = MySQLConnection.TLSSettings()
        if isAuthority {
            settings.verification = .certificateAuthority
            settings.authorities = "/nonexistent/file.pem"
        } else {
            settings.certificate = "/nonexistent/file.pem"
            settings.key = "/nonexistent/key.pem"
        }
        let conversation = try Conversation(tls: .required(settings), address: .tcp(host: "10.0.0.1", port: 3306))
        try conversation.server(ServerPackets.greeting(withTLS: true), sequence: 0)
        let failure = error(conversation.login)
        #expect(failure?.code == .tls)
        #expect(failure?.message.contains("/nonexistent/file.pem") == true)
        #expect(!conversation.channel.isActive)
    }
}
