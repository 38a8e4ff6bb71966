import NIOCore
import Testing

@testable import MySQLWire

@Suite("Packets")
struct PacketDecoderTests {
    private static let fullPart = 0xff_ffff

    private func frame(_ payload: [UInt8], _ sequence: UInt8) -> ByteBuffer {
        let count = payload.count
        return ByteBuffer(
            bytes: [UInt8(count & 0xff), UInt8(count >> 8 & 0xff), UInt8(count >> 16), sequence] + payload
        )
    }

    @Test("are found wherever the stream is cut")
    func splitEverywhere() throws {
        var stream = frame([1, 2, 3], 0)
        stream.writeImmutableBuffer(frame([], 1))
        stream.writeImmutableBuffer(frame([4], 2))
        let expected: [[UInt8]] = [[1, 2, 3], [], [4]]
        for cut in 0...stream.readableBytes {
            var decoder = PacketDecoder(limit: 100)
            var found: [PacketDecoder.Packet] = []
            for part in [
                stream.getSlice(at: 0, length: cut), stream.getSlice(at: cut, length: stream.readableBytes - cut),
            ] {
                decoder.feed(try #require(part))
                while let packet = try decoder.next() { found.append(packet) }
            }
            #expect(found.map { Array($0.payload.readableBytesView) } == expected, "cut at \(cut)")
            #expect(found.map(\.sequence) == [0, 1, 2])
            #expect(decoder.isEmpty)
        }
    }

    @Test("are found byte by byte, and an unfinished one is kept")
    func bytewise() throws {
        var decoder = PacketDecoder(limit: 100)
        var found: [[UInt8]] = []
        for byte in frame([7, 8, 9], 5).readableBytesView {
            #expect(found.isEmpty)
            decoder.feed(ByteBuffer(bytes: [byte]))
            #expect(!decoder.isEmpty)
            while let packet = try decoder.next() { found.append(Array(packet.payload.readableBytesView)) }
        }
        #expect(found == [[7, 8, 9]])
        #expect(decoder.isEmpty)
    }

    struct Size: Sendable, CustomTestStringConvertible {
        var tail: Int
        var parts: Int
        var testDescription: String { "\(parts - 1) full parts and \(tail) bytes" }
    }

    @Test(
        "of 16 MiB and more come in parts, the last one may be empty",
        arguments: [Size(tail: 0, parts: 2), Size(tail: 1, parts: 2), Size(tail: 5, parts: 3)]
    )
    func parts(_ size: Size) throws {
        var payload = ByteBuffer(repeating: 7, count: (size.parts - 1) * Self.fullPart)
        payload.writeRepeatingByte(9, count: size.tail)
        let (bytes, next) = PacketDecoder.encode(payload, sequence: 254)
        #expect(next == UInt8(truncatingIfNeeded: 254 + size.parts))
        #expect(bytes.readableBytes == payload.readableBytes + 4 * size.parts)
        var decoder = PacketDecoder(limit: payload.readableBytes)
        decoder.expect(254)
        decoder.feed(bytes)
        let packet = try #require(try decoder.next())
        #expect(packet.sequence == UInt8(truncatingIfNeeded: 253 + size.parts))
        #expect(packet.payload == payload)
        #expect(try decoder.next() == nil)
        #expect(decoder.isEmpty)
    }

    @Test("between two parts nothing is complete, and nothing is empty")
    func betweenParts() throws {
        var decoder = PacketDecoder(limit: 1 << 25)
        decoder.feed(frame([UInt8](repeating: 1, count: Self.fullPart), 0))
        #expect(try decoder.next() == nil)
        #expect(!decoder.isEmpty)
        decoder.feed(frame([2], 1))
        #expect(try decoder.next()?.payload.readableBytes == Self.fullPart + 1)
    }

    @Test("small payloads are encoded with header and sequence number", arguments: [0, 1, 300, 70_000])
    func encode(size: Int) {
        let payload = [UInt8](repeating: 3, count: size)
        let (bytes, next) = PacketDecoder.encode(ByteBuffer(bytes: payload), sequence: 9)
        #expect(bytes == frame(payload, 9))
        #expect(next == 10)
    }

    @Test("must carry the expected sequence number, and each the one after the last")
    func sequence() throws {
        var decoder = PacketDecoder(limit: 100)
        decoder.expect(1)
        decoder.feed(frame([1], 1))
        #expect(try decoder.next() != nil)
        decoder.feed(frame([1], 3))
        let error = #expect(throws: MySQLWireError.self) { try decoder.next() }
        #expect(error == MySQLWireError(.protocolViolation, "packet 3 came where packet 2 was expected"))
    }

    @Test("the sequence number wraps after 255")
    func wraps() throws {
        var decoder = PacketDecoder(limit: 100)
        decoder.expect(255)
        decoder.feed(frame([1], 255))
        decoder.feed(frame([2], 0))
        #expect(try decoder.next()?.sequence == 255)
        #expect(try decoder.next()?.sequence == 0)
    }

    @Test("of a part, the sequence number counts too")
    func sequenceOfParts() throws {
        var decoder = PacketDecoder(limit: 1 << 25)
        decoder.expect(0)
        decoder.feed(frame([UInt8](repeating: 1, count: Self.fullPart), 0))
        decoder.feed(frame([2], 0))
        #expect(#expect(throws: MySQLWireError.self) { try decoder.next() }?.code == .protocolViolation)
    }

    @Test("beyond the limit are refused by their header, before their bytes are there")
    func limit() throws {
        var decoder = PacketDecoder(limit: 10)
        decoder.feed(frame([UInt8](repeating: 0, count: 10), 0))
        #expect(try decoder.next() != nil)
        decoder.feed(ByteBuffer(bytes: [11, 0, 0, 1]))
        let error = #expect(throws: MySQLWireError.self) { try decoder.next() }
        #expect(error == MySQLWireError(.resultTooLarge, "the server sent a packet of more than 10 bytes"))
    }

    @Test("the limit holds for all parts together")
    func limitOfParts() throws {
        var decoder = PacketDecoder(limit: Self.fullPart + 1)
        decoder.feed(frame([UInt8](repeating: 1, count: Self.fullPart), 0))
        #expect(try decoder.next() == nil)
        decoder.feed(ByteBuffer(bytes: [2, 0, 0, 1]))
        #expect(#expect(throws: MySQLWireError.self) { try decoder.next() }?.code == .resultTooLarge)
    }
}
