import NIOCore
import Testing

@testable import MySQLWire

@Suite("Whether TLS is used")
struct TLSChoiceTests {
    private let credentials = MySQLConnection.Credentials(user: "vt_dba", password: "secret", database: "db")

    struct Case: Sendable, CustomTestStringConvertible {
        var mode: MySQLConnection.TLSMode
        var isLocal: Bool
        var isOffered: Bool
        /// `nil`: the login fails.
        var usesTLS: Bool?
        var testDescription: String {
            "\(mode), \(isLocal ? "socket" : "TCP"), \(isOffered ? "offered" : "not offered")"
        }
    }

    @Test(
        "follows mode, transport and server",
        arguments: [
            Case(mode: .disabled, isLocal: false, isOffered: true, usesTLS: false),
            Case(mode: .disabled, isLocal: true, isOffered: true, usesTLS: false),
            Case(mode: .preferred, isLocal: false, isOffered: true, usesTLS: true),
            Case(mode: .preferred, isLocal: false, isOffered: false, usesTLS: false),
            Case(mode: .preferred, isLocal: true, isOffered: true, usesTLS: false),
            Case(mode: .required(.init()), isLocal: false, isOffered: true, usesTLS: true),
            Case(mode: .required(.init()), isLocal: true, isOffered: true, usesTLS: true),
            Case(mode: .required(.init()), isLocal: false, isOffered: false, usesTLS: nil),
            Case(mode: .required(.init()), isLocal: true, isOffered: false, usesTLS: nil),
        ]
    )
    func choice(_ test: Case) throws {
        var machine = HandshakeStateMachine(credentials: credentials, tls: test.mode, isLocal: test.isLocal)
        let greeting = ServerPackets.greeting(withTLS: test.isOffered)
        guard let usesTLS = test.usesTLS else {
            let error = #expect(throws: MySQLWireError.self) { try machine.received(greeting) }
            #expect(error == MySQLWireError(.unsupported, "server doesn't support SSL but client asked for it"))
            return
        }
        var action = try machine.received(greeting)
        if usesTLS {
            guard case .startTLS = action else {
                Issue.record("TLS must begin, not \(action)")
                return
            }
            action = try machine.tlsEstablished()
        }
        let packet = try LoginPacket(try #require(sent(action)))
        #expect(packet.capabilities.contains(.tls) == usesTLS)
        #expect(packet.user == "vt_dba")
        guard case .done(let outcome) = try machine.received(ServerPackets.ok()) else {
            Issue.record("the login is done")
            return
        }
        #expect(outcome.usesTLS == usesTLS)
    }

    @Test("the request in clear names neither user nor database, and is the beginning of the login")
    func request() throws {
        var machine = HandshakeStateMachine(credentials: credentials, tls: .required(.init()), isLocal: false)
        guard case .startTLS(let request) = try machine.received(ServerPackets.greeting(withTLS: true)) else {
            Issue.record("TLS must begin")
            return
        }
        #expect(request.readableBytes == 32)
        let login = try #require(sent(try machine.tlsEstablished()))
        #expect(login.readableBytesView.prefix(32).elementsEqual(request.readableBytesView))
    }

    @Test("a server that speaks before TLS is set up breaks the protocol")
    func early() throws {
        var machine = HandshakeStateMachine(credentials: credentials, tls: .required(.init()), isLocal: false)
        _ = try machine.received(ServerPackets.greeting(withTLS: true))
        #expect(
            #expect(throws: MySQLWireError.self) { try machine.received(ServerPackets.ok()) }?.code
                == .protocolViolation
        )
    }
}
