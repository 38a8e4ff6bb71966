import NIOCore

/// Cuts a byte stream into packets: 3 bytes length, 1 byte sequence number, payload; a payload of 16 MiB - 1 is continued
/// in the next packet.
struct PacketDecoder {
    /// A whole payload, joined if it came in parts.
    struct Packet: Equatable {
        /// Sequence number of its last part.
        var sequence: UInt8
        var payload: ByteBuffer
    }

    private static let fullPart = 0xff_ffff
    /// A joined payload beyond this is refused before it is in memory, bytes.
    private let limit: Int
    private var received = ByteBuffer()
    private var parts: ByteBuffer?
    private var expectedSequence: UInt8?

    init(limit: Int) {
        self.limit = limit
    }

    /// Whether everything that came has been taken: no packet and no part of one is waiting.
    var isEmpty: Bool { received.readableBytes == 0 && parts == nil }

    mutating func feed(_ bytes: ByteBuffer) {
        received.writeImmutableBuffer(bytes)
    }

    /// The next packet must carry this sequence number: the one after what we sent.
    mutating func expect(_ sequence: UInt8) {
        expectedSequence = sequence
    }

    /// The next complete packet, or `nil` when more bytes are needed.
    mutating func next() throws(MySQLWireError) -> Packet? {
        while true {
            guard let header = received.getInteger(at: received.readerIndex, endianness: .little, as: UInt32.self)
            else { return nil }
            let length = Int(header & 0xff_ffff)
            let sequence = UInt8(header >> 24)
            guard (parts?.readableBytes ?? 0) + length <= limit else {
                throw MySQLWireError(.resultTooLarge, "the server sent a packet of more than \(limit) bytes")
            }
            guard received.readableBytes >= 4 + length else { return nil }
            if let expectedSequence, sequence != expectedSequence {
                throw MySQLWireError(
                    .protocolViolation,
                    "packet \(sequence) came where packet \(expectedSequence) was expected"
                )
            }
            expectedSequence = sequence &+ 1
            received.moveReaderIndex(forwardBy: 4)
            var payload = received.readSlice(length: length) ?? ByteBuffer()
            if received.readableBytes == 0 { received.clear() } else { received.discardReadBytes() }
            if length == Self.fullPart {
                if parts == nil { parts = payload } else { parts?.writeBuffer(&payload) }
                continue
            }
            if var whole = parts {
                parts = nil
                whole.writeBuffer(&payload)
                payload = whole
            }
            return Packet(sequence: sequence, payload: payload)
        }
    }

    /// Puts header bytes in front of a payload, cutting it into parts where needed.
    /// - Returns: the bytes to send and the sequence number that follows.
    static func encode(_ payload: ByteBuffer, sequence: UInt8) -> (bytes: ByteBuffer, next: UInt8) {
        var rest = payload
        var sequence = sequence
        var bytes = ByteBuffer()
        while true {
            let part = rest.readSlice(length: min(fullPart, rest.readableBytes)) ?? ByteBuffer()
            bytes.writeInteger(UInt32(part.readableBytes) | UInt32(sequence) << 24, endianness: .little)
            bytes.writeImmutableBuffer(part)
            sequence &+= 1
            // A part of exactly 16 MiB - 1 promises another one, which may be empty.
            if part.readableBytes < fullPart { return (bytes, sequence) }
        }
    }
}
