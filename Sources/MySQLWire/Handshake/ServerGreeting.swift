import NIOCore

/// The first packet of a server (protocol version 10).
struct ServerGreeting: Equatable {
    var version: String
    var connectionID: UInt32
    var capabilities: Capabilities
    var plugin: String
    /// 20 random bytes.
    var nonce: [UInt8]

    /// - Throws: ``MySQLWireError``; an error packet (too many connections, host blocked) becomes that error.
    init(_ packet: ByteBuffer) throws(MySQLWireError) {
        var packet = packet
        let protocolVersion = try packet.mysqlInteger(UInt8.self)
        if protocolVersion == 0xff { throw MySQLWireError(errorPacket: &packet) }
        guard protocolVersion == 10 else {
            throw MySQLWireError(
                .protocolViolation,
                "the server speaks protocol version \(protocolVersion), not 10; is this a MySQL port?"
            )
        }
        version = try packet.nullTerminatedString()
        connectionID = try packet.mysqlInteger()
        nonce = try packet.bytes(8)
        try packet.skip(1)
        var bits = UInt32(try packet.mysqlInteger(UInt16.self))
        plugin = "mysql_native_password"
        if packet.readableBytes > 0 {
            try packet.skip(1 + 2)  // character set, status
            bits |= UInt32(try packet.mysqlInteger(UInt16.self)) << 16
            let nonceLength = Int(try packet.mysqlInteger(UInt8.self))
            try packet.skip(10)
            let rest = try packet.bytes(min(max(13, nonceLength - 8), packet.readableBytes))
            nonce += rest.prefix(12)
            if Capabilities(rawValue: bits).contains(.pluginAuthentication), packet.readableBytes > 0 {
                plugin = packet.readString(length: packet.readableBytes) ?? plugin
                if let end = plugin.firstIndex(of: "\0") { plugin = String(plugin[..<end]) }
            }
        }
        capabilities = Capabilities(rawValue: bits)
        guard capabilities.isSuperset(of: [.protocol41, .secureConnection]) else {
            throw MySQLWireError(.unsupported, "the server (\(version)) is older than MySQL 4.1")
        }
        guard nonce.count == 20 else { throw .truncated }
    }
}
