import NIOCore

@testable import MySQLWire

/// Payloads as servers send them, without headers.
enum ServerPackets {
    static let nonce = (1...20).map { UInt8($0) }
    static let capabilities: Capabilities = [
        .longPassword, .longFlag, .connectWithDatabase, .protocol41, .transactions, .secureConnection, .multiStatements,
        .multiResults, .pluginAuthentication, .lengthEncodedAuthentication, .deprecateEOF,
    ]

    static func greeting(
        version: String = "9.7.4",
        plugin: String = "caching_sha2_password",
        capabilities: Capabilities = capabilities,
        withTLS: Bool = false
    ) -> ByteBuffer {
        let bits = withTLS ? capabilities.union(.tls).rawValue : capabilities.rawValue
        var packet = ByteBuffer(bytes: [10])
        packet.writeNullTerminated(version)
        packet.writeInteger(UInt32(4711), endianness: .little)
        packet.writeBytes(nonce.prefix(8) + [0])
        packet.writeInteger(UInt16(truncatingIfNeeded: bits), endianness: .little)
        packet.writeBytes([0xff, 2, 0])  // character set, status
        packet.writeInteger(UInt16(bits >> 16), endianness: .little)
        packet.writeBytes([21] + [UInt8](repeating: 0, count: 10) + nonce.dropFirst(8) + [0])
        packet.writeNullTerminated(plugin)
        return packet
    }

    static func ok(affectedRows: UInt8 = 0, moreResults: Bool = false) -> ByteBuffer {
        ByteBuffer(bytes: [0, affectedRows, 0, moreResults ? 10 : 2, 0, 0, 0])
    }

    /// The end of rows when EOF packets are deprecated: an OK packet that begins with 0xfe.
    static func okAfterRows(moreResults: Bool = false) -> ByteBuffer {
        ByteBuffer(bytes: [0xfe, 0, 0, moreResults ? 10 : 2, 0, 0, 0])
    }

    static func eof(moreResults: Bool = false) -> ByteBuffer {
        ByteBuffer(bytes: [0xfe, 0, 0, moreResults ? 10 : 2, 0])
    }

    static func error(_ errno: UInt16, _ sqlState: String = "28000", _ text: String = "Access denied") -> ByteBuffer {
        var packet = ByteBuffer(bytes: [0xff])
        packet.writeInteger(errno, endianness: .little)
        packet.writeString("#\(sqlState)\(text)")
        return packet
    }

    static func column(_ name: String) -> ByteBuffer {
        var packet = ByteBuffer()
        for text in ["def", "schema", "table", "org_table", name, "org_name"] {
            packet.writeLengthEncodedBytes(Array(text.utf8))
        }
        packet.writeBytes([0x0c, 45, 0, 0, 1, 0, 0, 0xfd, 0, 0, 0, 0, 0])
        return packet
    }

    static func columnCount(_ count: UInt8) -> ByteBuffer { ByteBuffer(bytes: [count]) }

    static func row(_ values: [String?]) -> ByteBuffer {
        var packet = ByteBuffer()
        for value in values {
            if let value { packet.writeLengthEncodedBytes(Array(value.utf8)) } else { packet.writeInteger(UInt8(0xfb)) }
        }
        return packet
    }

    static func switchMethod(to plugin: String, nonce: [UInt8]) -> ByteBuffer {
        var packet = ByteBuffer(bytes: [0xfe])
        packet.writeNullTerminated(plugin)
        packet.writeBytes(nonce + [0])
        return packet
    }

    /// Authentication data: 3 = fast path done, 4 = the password itself is needed.
    static func moreData(_ bytes: [UInt8]) -> ByteBuffer { ByteBuffer(bytes: [1] + bytes) }

    static func moreData(_ text: String) -> ByteBuffer { moreData(Array(text.utf8)) }
}

/// The login packet of a client, taken apart.
struct LoginPacket: Equatable {
    var capabilities: Capabilities
    var user: String
    var proof: [UInt8]
    var database: String?
    var plugin: String?

    init(_ payload: ByteBuffer) throws {
        var packet = payload
        capabilities = Capabilities(rawValue: try packet.mysqlInteger())
        try packet.skip(4 + 1 + 23)
        user = try packet.nullTerminatedString()
        let length =
            capabilities.contains(.lengthEncodedAuthentication)
            ? Int(try packet.lengthEncodedInteger() ?? 0) : Int(try packet.mysqlInteger(UInt8.self))
        proof = try packet.bytes(length)
        if capabilities.contains(.connectWithDatabase) { database = try packet.nullTerminatedString() }
        if capabilities.contains(.pluginAuthentication) { plugin = try packet.nullTerminatedString() }
    }
}
