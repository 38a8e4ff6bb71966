import NIOCore
import Testing

@testable import MySQLWire

@Suite("Fields of packets")
struct FieldTests {
    struct Number: Sendable, CustomTestStringConvertible {
        var bytes: [UInt8]
        var value: UInt64?
        var testDescription: String { "\(bytes)" }
    }

    @Test(
        "integers of 1, 3, 4 and 9 bytes, and NULL",
        arguments: [
            Number(bytes: [0], value: 0),
            Number(bytes: [0xfa], value: 250),
            Number(bytes: [0xfb], value: nil),
            Number(bytes: [0xfc, 0xfb, 0], value: 251),
            Number(bytes: [0xfc, 0xff, 0xff], value: 0xffff),
            Number(bytes: [0xfd, 1, 2, 3], value: 0x03_0201),
            Number(bytes: [0xfe, 1, 2, 3, 4, 5, 6, 7, 8], value: 0x0807_0605_0403_0201),
        ]
    )
    func integers(_ number: Number) throws {
        var buffer = ByteBuffer(bytes: number.bytes)
        #expect(try buffer.lengthEncodedInteger() == number.value)
        #expect(buffer.readableBytes == 0)
        for count in 0..<number.bytes.count {
            var short = ByteBuffer(bytes: number.bytes.prefix(count))
            #expect(throws: MySQLWireError.truncated) { try short.lengthEncodedInteger() }
        }
    }

    @Test("the first byte 0xff is no length")
    func invalidLength() {
        var buffer = ByteBuffer(bytes: [0xff, 0, 0, 0, 0, 0, 0, 0, 0])
        #expect(#expect(throws: MySQLWireError.self) { try buffer.lengthEncodedInteger() }?.code == .protocolViolation)
    }

    @Test("what is written with a length is read again", arguments: [0, 1, 250, 251, 65_535, 65_536, 70_000])
    func strings(size: Int) throws {
        var buffer = ByteBuffer()
        buffer.writeLengthEncodedBytes([UInt8](repeating: 65, count: size))
        #expect(try buffer.lengthEncodedString() == String(repeating: "A", count: size))
        #expect(buffer.readableBytes == 0)
    }

    @Test(
        "a string longer than its packet is an error, however long it says to be",
        arguments: [[3, 65, 65], [0xfc, 0xff, 0xff, 1], [0xfe, 255, 255, 255, 255, 255, 255, 255, 255, 1]] as [[UInt8]]
    )
    func longStrings(bytes: [UInt8]) {
        var buffer = ByteBuffer(bytes: bytes)
        #expect(throws: MySQLWireError.truncated) { try buffer.lengthEncodedString() }
    }

    @Test("a text ends with a zero byte, which must be there")
    func nullTerminated() throws {
        var buffer = ByteBuffer(string: "9.7.4\0rest")
        #expect(try buffer.nullTerminatedString() == "9.7.4")
        #expect(throws: MySQLWireError.truncated) { try buffer.nullTerminatedString() }
    }

    struct ErrorPacket: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var bytes: [UInt8]
        var error: MySQLWireError
    }

    @Test(
        "error packets with and without SQL state, and cut short",
        arguments: [
            ErrorPacket(
                testDescription: "with state",
                bytes: [0x15, 0x04] + Array("#28000Access denied".utf8),
                error: MySQLWireError(.server(errno: 1045, sqlState: "28000"), "Access denied")
            ),
            ErrorPacket(
                testDescription: "without state",
                bytes: [0x10, 0x04] + Array("Too many connections".utf8),
                error: MySQLWireError(.server(errno: 1040, sqlState: "HY000"), "Too many connections")
            ),
            ErrorPacket(
                testDescription: "half a state",
                bytes: [0x10, 0x04] + Array("#2800".utf8),
                error: MySQLWireError(.server(errno: 1040, sqlState: "HY000"), "#2800")
            ),
            ErrorPacket(
                testDescription: "no text",
                bytes: [0x10, 0x04],
                error: MySQLWireError(.server(errno: 1040, sqlState: "HY000"), "")
            ),
            ErrorPacket(testDescription: "half a number", bytes: [0x10], error: .truncated),
        ]
    )
    func errorPackets(_ test: ErrorPacket) {
        var packet = ByteBuffer(bytes: test.bytes)
        #expect(MySQLWireError(errorPacket: &packet) == test.error)
    }

    @Test("errors read as MySQL's own")
    func descriptions() {
        let server = MySQLWireError(.server(errno: 1064, sqlState: "42000"), "You have an error")
        #expect("\(server)" == "syntax error (errno 1064) (sqlstate 42000)")
        #expect(server.serverErrno == 1064)
        let lost = MySQLWireError(.connectionLost, "Lost connection")
        #expect("\(lost)" == "Lost connection (errno 2013) (sqlstate HY000)")
        #expect(lost.serverErrno == nil)
        #expect("\(MySQLWireError(.cannotConnect(errno: 2002), "no"))" == "no (errno 2002) (sqlstate HY000)")
        #expect("\(MySQLWireError(.tls, "no certificate"))" == "no certificate")
    }
}
