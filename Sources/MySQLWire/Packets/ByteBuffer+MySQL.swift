import NIOCore

// The field encodings of the protocol. A reader throws when the packet is shorter than its fields say.

extension ByteBuffer {
    mutating func mysqlInteger<Integer: FixedWidthInteger>(
        _ type: Integer.Type = Integer.self
    ) throws(MySQLWireError) -> Integer {
        guard let value = readInteger(endianness: .little, as: type) else { throw .truncated }
        return value
    }

    /// 1, 3, 4 or 9 bytes; `nil` for the NULL mark 0xfb.
    mutating func lengthEncodedInteger() throws(MySQLWireError) -> UInt64? {
        switch try mysqlInteger(UInt8.self) {
        case let small where small < 0xfb: return UInt64(small)
        case 0xfb: return nil
        case 0xfc: return UInt64(try mysqlInteger(UInt16.self))
        case 0xfd:
            let low = UInt64(try mysqlInteger(UInt16.self))
            return low | UInt64(try mysqlInteger(UInt8.self)) << 16
        case 0xfe: return try mysqlInteger(UInt64.self)
        default: throw MySQLWireError(.protocolViolation, "invalid length in a packet")
        }
    }

    /// A string with its length in front; `nil` for NULL.
    mutating func lengthEncodedString() throws(MySQLWireError) -> String? {
        guard let length = try lengthEncodedInteger() else { return nil }
        guard length <= UInt64(readableBytes), let text = readString(length: Int(length)) else { throw .truncated }
        return text
    }

    mutating func nullTerminatedString() throws(MySQLWireError) -> String {
        guard let end = readableBytesView.firstIndex(of: 0), let text = readString(length: end - readerIndex) else {
            throw .truncated
        }
        moveReaderIndex(forwardBy: 1)
        return text
    }

    mutating func bytes(_ count: Int) throws(MySQLWireError) -> [UInt8] {
        guard let bytes = readBytes(length: count) else { throw .truncated }
        return bytes
    }

    mutating func skip(_ count: Int) throws(MySQLWireError) {
        guard readableBytes >= count else { throw .truncated }
        moveReaderIndex(forwardBy: count)
    }

    mutating func writeLengthEncodedBytes(_ bytes: [UInt8]) {
        switch bytes.count {
        case ..<0xfb: writeInteger(UInt8(bytes.count))
        case ..<0x1_0000:
            writeInteger(UInt8(0xfc))
            writeInteger(UInt16(bytes.count), endianness: .little)
        default:
            writeInteger(UInt8(0xfe))
            writeInteger(UInt64(bytes.count), endianness: .little)
        }
        writeBytes(bytes)
    }

    mutating func writeNullTerminated(_ text: String) {
        writeString(text)
        writeInteger(UInt8(0))
    }
}

extension MySQLWireError {
    static let truncated = MySQLWireError(.protocolViolation, "the server sent a packet that ends too early")

    /// Reads an error packet, its 0xff already taken.
    init(errorPacket packet: inout ByteBuffer) {
        guard let errno = packet.readInteger(endianness: .little, as: UInt16.self) else {
            self = .truncated
            return
        }
        var sqlState = "HY000"
        if packet.getInteger(at: packet.readerIndex, as: UInt8.self) == UInt8(ascii: "#"), packet.readableBytes >= 6 {
            packet.moveReaderIndex(forwardBy: 1)
            sqlState = packet.readString(length: 5) ?? sqlState
        }
        let text = packet.readString(length: packet.readableBytes) ?? ""
        self.init(.server(errno: errno, sqlState: sqlState), text)
    }
}
