import CryptoExtras
import NIOCore
import Testing

@testable import MySQLWire

/// caching_sha2_password when the server does not know the password's hash yet.
@Suite("caching_sha2_password, the full path")
struct FullAuthenticationTests {
    private let credentials = MySQLConnection.Credentials(user: "vt_dba", password: "secret")

    @Test("over a unix socket the password is sent as it is")
    func socket() throws {
        var machine = HandshakeStateMachine(credentials: credentials, tls: .disabled, isLocal: true)
        _ = try machine.received(ServerPackets.greeting())
        #expect(sent(try machine.received(ServerPackets.moreData([4]))) == ByteBuffer(string: "secret\0"))
        #expect(isDone(try machine.received(ServerPackets.ok())))
    }

    @Test("over TLS the password is sent as it is")
    func tls() throws {
        var machine = HandshakeStateMachine(credentials: credentials, tls: .required(.init()), isLocal: false)
        _ = try machine.received(ServerPackets.greeting(withTLS: true))
        _ = try machine.tlsEstablished()
        #expect(sent(try machine.received(ServerPackets.moreData([4]))) == ByteBuffer(string: "secret\0"))
        guard case .done(let outcome) = try machine.received(ServerPackets.ok()) else {
            Issue.record("the login is done")
            return
        }
        #expect(outcome.usesTLS)
    }

    @Test("over TCP without TLS the password is encrypted with the server's key")
    func rsa() throws {
        let key = try _RSA.Encryption.PrivateKey(keySize: .bits2048)
        var machine = HandshakeStateMachine(credentials: credentials, tls: .disabled, isLocal: false)
        _ = try machine.received(ServerPackets.greeting())
        #expect(sent(try machine.received(ServerPackets.moreData([4]))) == ByteBuffer(bytes: [2]))
        let pem = ServerPackets.moreData(key.publicKey.pemRepresentation + "\n")
        let encrypted = try #require(sent(try machine.received(pem)))
        let mixed = try key.decrypt(Array(encrypted.readableBytesView), padding: .PKCS1_OAEP)
        let plain = mixed.enumerated().map { $0.element ^ ServerPackets.nonce[$0.offset % 20] }
        #expect(plain == Array("secret\0".utf8))
        #expect(isDone(try machine.received(ServerPackets.ok())))
    }

    @Test("after a switch of the method, its nonce is mixed in")
    func rsaAfterSwitch() throws {
        let key = try _RSA.Encryption.PrivateKey(keySize: .bits2048)
        let nonce = (101...120).map { UInt8($0) }
        var machine = HandshakeStateMachine(credentials: credentials, tls: .disabled, isLocal: false)
        _ = try machine.received(ServerPackets.greeting(plugin: "mysql_native_password"))
        _ = try machine.received(ServerPackets.switchMethod(to: "caching_sha2_password", nonce: nonce))
        _ = try machine.received(ServerPackets.moreData([4]))
        let pem = ServerPackets.moreData(key.publicKey.pemRepresentation)
        let encrypted = try #require(sent(try machine.received(pem)))
        let mixed = try key.decrypt(Array(encrypted.readableBytesView), padding: .PKCS1_OAEP)
        #expect(mixed.enumerated().map { $0.element ^ nonce[$0.offset % 20] } == Array("secret\0".utf8))
    }

    @Test("sha256_password: encrypted with the server's key, or through TLS, or nothing at all")
    func plainSHA2() throws {
        let key = try _RSA.Encryption.PrivateKey(keySize: .bits2048)
        let switched = ServerPackets.switchMethod(to: "sha256_password", nonce: ServerPackets.nonce)
        var clear = HandshakeStateMachine(credentials: credentials, tls: .disabled, isLocal: false)
        _ = try clear.received(ServerPackets.greeting())
        #expect(sent(try clear.received(switched)) == ByteBuffer(bytes: [1]))
        let encrypted = try #require(sent(try clear.received(ServerPackets.moreData(key.publicKey.pemRepresentation))))
        let mixed = try key.decrypt(Array(encrypted.readableBytesView), padding: .PKCS1_OAEP)
        #expect(mixed.enumerated().map { $0.element ^ ServerPackets.nonce[$0.offset % 20] } == Array("secret\0".utf8))
        #expect(isDone(try clear.received(ServerPackets.ok())))

        var throughTLS = HandshakeStateMachine(credentials: credentials, tls: .required(.init()), isLocal: false)
        _ = try throughTLS.received(ServerPackets.greeting(withTLS: true))
        _ = try throughTLS.tlsEstablished()
        #expect(sent(try throughTLS.received(switched)) == ByteBuffer(string: "secret\0"))

        var nothing = HandshakeStateMachine(credentials: .init(user: "nobody"), tls: .disabled, isLocal: false)
        _ = try nothing.received(ServerPackets.greeting())
        #expect(sent(try nothing.received(switched)) == ByteBuffer(bytes: [0]))
    }

    @Test("a wrong password is the server's error, by every way", arguments: [true, false])
    func wrongPassword(isLocal: Bool) throws {
        let key = try _RSA.Encryption.PrivateKey(keySize: .bits2048)
        var machine = HandshakeStateMachine(credentials: credentials, tls: .disabled, isLocal: isLocal)
        _ = try machine.received(ServerPackets.greeting())
        _ = try machine.received(ServerPackets.moreData([4]))
        if !isLocal { _ = try machine.received(ServerPackets.moreData(key.publicKey.pemRepresentation)) }
        let error = #expect(throws: MySQLWireError.self) { try machine.received(ServerPackets.error(1045)) }
        #expect(error?.serverErrno == 1045)
    }

    @Test("a server without a key says so")
    func noKey() throws {
        var machine = HandshakeStateMachine(credentials: credentials, tls: .disabled, isLocal: false)
        _ = try machine.received(ServerPackets.greeting())
        _ = try machine.received(ServerPackets.moreData([4]))
        let error = #expect(throws: MySQLWireError.self) {
            try machine.received(ServerPackets.error(2061, "HY000", "RSA Encryption not supported"))
        }
        #expect(error?.serverErrno == 2061)
    }

    @Test("what is no key ends the login", arguments: [[], [1], [0], [7, 1], [1, 2, 3]] as [[UInt8]])
    func nonsense(bytes: [UInt8]) throws {
        var machine = HandshakeStateMachine(credentials: credentials, tls: .disabled, isLocal: false)
        _ = try machine.received(ServerPackets.greeting())
        _ = try machine.received(ServerPackets.moreData([4]))
        let error = #expect(throws: MySQLWireError.self) { try machine.received(ByteBuffer(bytes: bytes)) }
        #expect(error?.code == .protocolViolation)
    }
}
