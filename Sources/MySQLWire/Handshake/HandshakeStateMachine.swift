import NIOCore

/// The log-in conversation, from the server's greeting to its OK.
///
/// Pure: packets in, what to do out.
struct HandshakeStateMachine {
    /// What is known about the server once logged in.
    struct Outcome: Equatable {
        var serverVersion: String
        var connectionID: UInt32
        var capabilities: Capabilities
        var usesTLS: Bool
    }

    /// What the connection does next.
    enum Action: Equatable {
        case send(ByteBuffer)
        /// Send in clear, then begin TLS and report ``tlsEstablished()``.
        case startTLS(ByteBuffer)
        /// Nothing until the next packet.
        case wait
        case done(Outcome)
    }

    private enum State {
        case greeting
        case tls
        case proof
        case publicKey
        case end
    }

    private let credentials: MySQLConnection.Credentials
    private let tls: MySQLConnection.TLSMode
    /// A unix socket: what crosses it stays on the machine.
    private let isLocal: Bool
    private var state = State.greeting
    private var server: ServerGreeting?
    private var plugin = ""
    private var nonce: [UInt8] = []
    private var usesTLS = false

    init(credentials: MySQLConnection.Credentials, tls: MySQLConnection.TLSMode, isLocal: Bool) {
        (self.credentials, self.tls, self.isLocal) = (credentials, tls, isLocal)
    }

    /// Takes the next packet of the server.
    mutating func received(_ packet: ByteBuffer) throws(MySQLWireError) -> Action {
        switch state {
        case .greeting: return try greeted(ServerGreeting(packet))
        case .tls: throw MySQLWireError(.protocolViolation, "the server spoke before TLS was set up")
        case .proof: return try answered(packet)
        case .publicKey: return try receivedKey(packet)
        case .end: throw MySQLWireError(.protocolViolation, "the server spoke after the log-in")
        }
    }

    /// TLS is up: log in through it.
    mutating func tlsEstablished() throws(MySQLWireError) -> Action {
        usesTLS = true
        return .send(try response())
    }

    private mutating func greeted(_ greeting: ServerGreeting) throws(MySQLWireError) -> Action {
        (server, plugin, nonce) = (greeting, greeting.plugin, greeting.nonce)
        let offered = greeting.capabilities.contains(.tls)
        let wanted =
            switch tls {
            case .disabled: false
            case .preferred: offered && !isLocal
            case .required: true
            }
        guard wanted else { return .send(try response()) }
        guard offered else {
            throw MySQLWireError(.unsupported, "server doesn't support SSL but client asked for it")
        }
        state = .tls
        var request = ByteBuffer()
        writePreamble(to: &request, capabilities(with: .tls))
        return .startTLS(request)
    }

    private func capabilities(with extra: Capabilities = []) -> Capabilities {
        var bits = Capabilities.wanted.intersection(server?.capabilities ?? []).union(extra)
        if usesTLS { bits.insert(.tls) }
        if !credentials.database.isEmpty { bits.insert(.connectWithDatabase) }
        return bits
    }

    private func writePreamble(to packet: inout ByteBuffer, _ capabilities: Capabilities) {
        packet.writeInteger(capabilities.rawValue, endianness: .little)
        packet.writeInteger(UInt32(1 << 30), endianness: .little)  // largest packet we take
        packet.writeInteger(UInt8(45))  // utf8mb4_general_ci
        packet.writeRepeatingByte(0, count: 23)
    }

    private mutating func response() throws(MySQLWireError) -> ByteBuffer {
        state = .proof
        // A method that we do not know is answered with the one we do; the server then asks to switch, or refuses.
        if !["caching_sha2_password", "mysql_native_password"].contains(plugin) { plugin = "caching_sha2_password" }
        let bits = capabilities()
        let proof = try firstProof()
        var packet = ByteBuffer()
        writePreamble(to: &packet, bits)
        packet.writeNullTerminated(credentials.user)
        if bits.contains(.lengthEncodedAuthentication) {
            packet.writeLengthEncodedBytes(proof)
        } else {
            packet.writeInteger(UInt8(proof.count))
            packet.writeBytes(proof)
        }
        if bits.contains(.connectWithDatabase) { packet.writeNullTerminated(credentials.database) }
        if bits.contains(.pluginAuthentication) { packet.writeNullTerminated(plugin) }
        return packet
    }

    private func firstProof() throws(MySQLWireError) -> [UInt8] {
        switch plugin {
        case "mysql_native_password": return PasswordProof.native(password: credentials.password, nonce: nonce)
        case "caching_sha2_password": return PasswordProof.cachingSHA2(password: credentials.password, nonce: nonce)
        case "mysql_clear_password" where usesTLS || isLocal: return Array(credentials.password.utf8) + [0]
        case "mysql_clear_password":
            throw MySQLWireError(.unsupported, "the server asks for the password in clear text; HINT: connect with TLS")
        default:
            throw MySQLWireError(
                .unsupported,
                "the server wants authentication method \"\(plugin)\" for user \(credentials.user); HINT: create the user with caching_sha2_password or mysql_native_password"
            )
        }
    }

    private mutating func answered(_ packet: ByteBuffer) throws(MySQLWireError) -> Action {
        var packet = packet
        switch try packet.mysqlInteger(UInt8.self) {
        case 0x00: return done()
        case 0xff: throw MySQLWireError(errorPacket: &packet)
        case 0xfe: return try switchMethod(&packet)
        case 0x01: return try moreData(&packet)
        case let kind: throw MySQLWireError(.protocolViolation, "unexpected packet \(kind) during log-in")
        }
    }

    private mutating func switchMethod(_ packet: inout ByteBuffer) throws(MySQLWireError) -> Action {
        guard packet.readableBytes > 0 else {
            throw MySQLWireError(.unsupported, "the server wants the pre-4.1 password method, which is not supported")
        }
        plugin = try packet.nullTerminatedString()
        nonce = Array(try packet.bytes(packet.readableBytes).prefix(20))
        return plugin == "sha256_password" ? plainSHA2() : .send(ByteBuffer(bytes: try firstProof()))
    }

    /// sha256_password: the password itself, encrypted.
    ///
    /// A server also asks users that it does not know for this method, so that nobody learns who exists: without it, a
    /// mistyped user name could not be told from a method that we do not speak.
    private mutating func plainSHA2() -> Action {
        if credentials.password.isEmpty { return .send(ByteBuffer(bytes: [0])) }
        if usesTLS { return .send(ByteBuffer(bytes: Array(credentials.password.utf8) + [0])) }
        state = .publicKey
        return .send(ByteBuffer(bytes: [1]))
    }

    /// caching_sha2_password: 3 = the cache knew the proof, 4 = the server needs the password itself.
    private mutating func moreData(_ packet: inout ByteBuffer) throws(MySQLWireError) -> Action {
        switch try packet.mysqlInteger(UInt8.self) {
        case 3: return .wait
        case 4 where usesTLS || isLocal: return .send(ByteBuffer(bytes: Array(credentials.password.utf8) + [0]))
        case 4:
            state = .publicKey
            return .send(ByteBuffer(bytes: [2]))
        case let kind: throw MySQLWireError(.protocolViolation, "unexpected authentication data \(kind)")
        }
    }

    private mutating func receivedKey(_ packet: ByteBuffer) throws(MySQLWireError) -> Action {
        var packet = packet
        let kind = try packet.mysqlInteger(UInt8.self)
        if kind == 0xff { throw MySQLWireError(errorPacket: &packet) }
        guard kind == 1, let pem = packet.readString(length: packet.readableBytes), !nonce.isEmpty else {
            throw MySQLWireError(.protocolViolation, "the server did not send its public key")
        }
        state = .proof
        return .send(
            ByteBuffer(
                bytes: try PasswordProof.encrypted(password: credentials.password, nonce: nonce, publicKeyPEM: pem)
            )
        )
    }

    private mutating func done() -> Action {
        state = .end
        return .done(
            Outcome(
                serverVersion: server?.version ?? "",
                connectionID: server?.connectionID ?? 0,
                capabilities: capabilities(),
                usesTLS: usesTLS
            )
        )
    }
}
