import NIOCore
import Testing

@testable import Storage

@Suite("CRC32")
struct CRC32Tests {
    struct Vector: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var bytes: [UInt8]
        var value: UInt32
    }

    @Test(
        "known values",
        arguments: [
            Vector(testDescription: "nothing", bytes: [], value: 0),
            Vector(testDescription: "check value", bytes: Array("123456789".utf8), value: 0xcbf4_3926),
            Vector(testDescription: "one letter", bytes: Array("a".utf8), value: 0xe8b7_be43),
            Vector(
                testDescription: "fox",
                bytes: Array("The quick brown fox jumps over the lazy dog".utf8),
                value: 0x414f_a339
            ),
            Vector(testDescription: "32 zeros", bytes: Array(repeating: 0, count: 32), value: 0x190a_55ad),
            Vector(testDescription: "32 ones", bytes: Array(repeating: 0xff, count: 32), value: 0xff6c_ab0b),
        ]
    )
    func vectors(_ vector: Vector) {
        var crc = CRC32()
        vector.bytes.withUnsafeBytes { crc.update($0) }
        #expect(crc.value == vector.value)
    }

    @Test("pieces give the value of the whole, wherever it is cut")
    func pieces() {
        let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var whole = CRC32()
        whole.update(ByteBuffer(bytes: bytes))
        for cut in 0...bytes.count {
            var crc = CRC32()
            crc.update(ByteBuffer(bytes: bytes[..<cut]))
            crc.update(ByteBuffer(bytes: bytes[cut...]))
            #expect(crc == whole, "cut at \(cut)")
        }
    }

    @Test("of a buffer only the readable bytes count")
    func readableOnly() {
        var buffer = ByteBuffer(string: "xx123456789")
        buffer.moveReaderIndex(forwardBy: 2)
        var crc = CRC32()
        crc.update(buffer)
        #expect(crc.value == 0xcbf4_3926)
    }
}
