import NIOCore
import Testing

@testable import MySQLWire

@Suite("Logging in")
struct HandshakeTests {
    private let secret = MySQLConnection.Credentials(user: "vt_dba", password: "secret")

    private func machine(
        _ credentials: MySQLConnection.Credentials? = nil,
        isLocal: Bool = true
    ) -> HandshakeStateMachine {
        HandshakeStateMachine(credentials: credentials ?? secret, tls: .disabled, isLocal: isLocal)
    }

    @Test("mysql_native_password: proof, OK")
    func native() throws {
        var machine = machine()
        let login = try #require(sent(try machine.received(ServerPackets.greeting(plugin: "mysql_native_password"))))
        let packet = try LoginPacket(login)
        #expect(packet.user == "vt_dba")
        #expect(packet.plugin == "mysql_native_password")
        #expect(packet.proof == PasswordProof.native(password: "secret", nonce: ServerPackets.nonce))
        #expect(packet.database == nil)
        #expect(!packet.capabilities.contains(.tls))
        #expect(
            try machine.received(ServerPackets.ok())
                == .done(
                    .init(
                        serverVersion: "9.7.4",
                        connectionID: 4711,
                        capabilities: Capabilities.wanted,
                        usesTLS: false
                    )
                )
        )
    }

    @Test("caching_sha2_password, fast path: proof, accepted, OK", arguments: [true, false])
    func fast(isLocal: Bool) throws {
        var machine = machine(isLocal: isLocal)
        let packet = try LoginPacket(try #require(sent(try machine.received(ServerPackets.greeting()))))
        #expect(packet.plugin == "caching_sha2_password")
        #expect(packet.proof == PasswordProof.cachingSHA2(password: "secret", nonce: ServerPackets.nonce))
        #expect(try machine.received(ServerPackets.moreData([3])) == .wait)
        #expect(isDone(try machine.received(ServerPackets.ok())))
    }

    @Test(
        "an empty password has no proof, and OK comes at once",
        arguments: ["mysql_native_password", "caching_sha2_password"]
    )
    func emptyPassword(plugin: String) throws {
        var machine = machine(.init(user: "root"))
        let packet = try LoginPacket(try #require(sent(try machine.received(ServerPackets.greeting(plugin: plugin)))))
        #expect(packet.user == "root")
        #expect(packet.proof.isEmpty)
        #expect(isDone(try machine.received(ServerPackets.ok())))
    }

    @Test("a database is asked for when there is one")
    func database() throws {
        var machine = machine(.init(user: "a", password: "b", database: "vt_commerce"))
        let packet = try LoginPacket(try #require(sent(try machine.received(ServerPackets.greeting()))))
        #expect(packet.database == "vt_commerce")
        #expect(packet.plugin == "caching_sha2_password")
    }

    @Test("a wrong password is the server's error", arguments: ["mysql_native_password", "caching_sha2_password"])
    func wrongPassword(plugin: String) throws {
        var machine = machine()
        _ = try machine.received(ServerPackets.greeting(plugin: plugin))
        let error = #expect(throws: MySQLWireError.self) { try machine.received(ServerPackets.error(1045)) }
        #expect(error?.serverErrno == 1045)
        #expect(error?.message == "Access denied")
    }

    struct Switch: Sendable, CustomTestStringConvertible {
        var from: String
        var to: String
        var testDescription: String { "\(from) to \(to)" }
    }

    @Test(
        "a server may switch the method, with a nonce of its own",
        arguments: [
            Switch(from: "caching_sha2_password", to: "mysql_native_password"),
            Switch(from: "mysql_native_password", to: "caching_sha2_password"),
            Switch(from: "auth_socket", to: "caching_sha2_password"),
        ]
    )
    func switched(_ test: Switch) throws {
        var machine = machine()
        _ = try machine.received(ServerPackets.greeting(plugin: test.from))
        let nonce = (101...120).map { UInt8($0) }
        let answer = try #require(sent(try machine.received(ServerPackets.switchMethod(to: test.to, nonce: nonce))))
        let proof =
            test.to == "mysql_native_password"
            ? PasswordProof.native(password: "secret", nonce: nonce)
            : PasswordProof.cachingSHA2(password: "secret", nonce: nonce)
        #expect(Array(answer.readableBytesView) == proof)
        #expect(isDone(try machine.received(ServerPackets.ok())))
    }

    @Test("a method that we do not know is answered with one that we do")
    func unknownOffer() throws {
        var machine = machine()
        let greeting = ServerPackets.greeting(plugin: "authentication_webauthn_client")
        let packet = try LoginPacket(try #require(sent(try machine.received(greeting))))
        #expect(packet.plugin == "caching_sha2_password")
    }

    @Test("a method that we do not know is refused, naming method, user and way out")
    func unknownMethod() throws {
        var machine = machine()
        _ = try machine.received(ServerPackets.greeting())
        let error = #expect(throws: MySQLWireError.self) {
            try machine.received(ServerPackets.switchMethod(to: "authentication_kerberos_client", nonce: [1]))
        }
        #expect(error?.code == .unsupported)
        for part in ["authentication_kerberos_client", "vt_dba", "HINT:"] {
            #expect(error?.message.contains(part) == true)
        }
        #expect(error?.message.contains("secret") == false)
    }

    @Test("the pre-4.1 method is refused")
    func oldMethod() throws {
        var machine = machine()
        _ = try machine.received(ServerPackets.greeting())
        let error = #expect(throws: MySQLWireError.self) { try machine.received(ByteBuffer(bytes: [0xfe])) }
        #expect(error?.code == .unsupported)
    }

    @Test("the password in clear is given to a local server only")
    func clearText() throws {
        for isLocal in [true, false] {
            var machine = machine(isLocal: isLocal)
            _ = try machine.received(ServerPackets.greeting())
            let request = ServerPackets.switchMethod(to: "mysql_clear_password", nonce: [])
            if isLocal {
                #expect(sent(try machine.received(request)) == ByteBuffer(string: "secret\0"))
            } else {
                let error = #expect(throws: MySQLWireError.self) { try machine.received(request) }
                #expect(error?.code == .unsupported)
                #expect(error?.message.contains("connect with TLS") == true)
            }
        }
    }

    @Test("only capabilities that the server has are asked for")
    func capabilities() throws {
        var machine = machine()
        let few: Capabilities = [.protocol41, .secureConnection, .longFlag]
        let packet = try LoginPacket(
            try #require(sent(try machine.received(ServerPackets.greeting(capabilities: few))))
        )
        #expect(packet.capabilities == few)
        #expect(packet.plugin == nil)
        #expect(packet.proof == PasswordProof.native(password: "secret", nonce: ServerPackets.nonce))
        #expect(packet.user == "vt_dba")
    }

    @Test("what is no answer to a login ends it", arguments: [[], [7], [1], [1, 9], [0xff]] as [[UInt8]])
    func nonsense(bytes: [UInt8]) throws {
        var machine = machine()
        _ = try machine.received(ServerPackets.greeting())
        let error = #expect(throws: MySQLWireError.self) { try machine.received(ByteBuffer(bytes: bytes)) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("a server that goes on after its OK breaks the protocol")
    func afterTheEnd() throws {
        var machine = machine()
        _ = try machine.received(ServerPackets.greeting())
        _ = try machine.received(ServerPackets.ok())
        #expect(
            #expect(throws: MySQLWireError.self) { try machine.received(ServerPackets.ok()) }?.code
                == .protocolViolation
        )
    }

    @Test("a description of credentials never shows the password")
    func description() {
        let credentials = MySQLConnection.Credentials(user: "u", password: "hidden")
        let configuration = MySQLConnection.Configuration(address: .tcp(host: "h", port: 1), credentials: credentials)
        for text in [
            "\(credentials)", String(reflecting: credentials), "\(configuration)", String(reflecting: configuration),
        ] {
            #expect(!text.contains("hidden"))
        }
    }
}

/// The payload that a state machine wants to send.
func sent(_ action: HandshakeStateMachine.Action) -> ByteBuffer? {
    if case .send(let payload) = action { payload } else { nil }
}

func isDone(_ action: HandshakeStateMachine.Action) -> Bool {
    if case .done = action { true } else { false }
}
