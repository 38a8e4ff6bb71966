import NIOCore
import Storage
import Testing

@testable import Compression

/// Gzip members as other programs write them, made by hand from stored blocks.
struct ForeignGzip: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var extra: [UInt8]?
    var name: String?
    var comment: String?
    var hasHeaderChecksum = false
    var blockSize = 65_535
    /// An empty block that does not end the data: what a flush leaves.
    var endsWithEmptyBlock = false

    func member(_ content: [UInt8]) -> [UInt8] {
        header() + blocks(content) + littleEndian(crc(content)) + littleEndian(UInt32(content.count))
    }

    private func header() -> [UInt8] {
        var flags: UInt8 = 0
        if hasHeaderChecksum { flags |= 2 }
        if extra != nil { flags |= 4 }
        if name != nil { flags |= 8 }
        if comment != nil { flags |= 16 }
        var bytes: [UInt8] = [0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 2, 3]
        if let extra { bytes += [UInt8(extra.count & 0xff), UInt8(extra.count >> 8)] + extra }
        if let name { bytes += Array(name.utf8) + [0] }
        if let comment { bytes += Array(comment.utf8) + [0] }
        if hasHeaderChecksum { bytes += littleEndian(crc(bytes)).prefix(2) }
        return bytes
    }

    private func blocks(_ content: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = content[...]
        repeat {
            let block = rest.prefix(blockSize)
            rest = rest.dropFirst(block.count)
            bytes += stored(block, isLast: rest.isEmpty && !endsWithEmptyBlock)
        } while !rest.isEmpty
        return endsWithEmptyBlock ? bytes + stored([], isLast: true) : bytes
    }

    private func stored(_ block: ArraySlice<UInt8>, isLast: Bool) -> [UInt8] {
        let count = UInt16(block.count)
        let lengths = [count, ~count].flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        return [isLast ? 1 : 0] + lengths + block
    }

    private func crc(_ bytes: [UInt8]) -> UInt32 {
        var crc = CRC32()
        crc.update(ByteBuffer(bytes: bytes))
        return crc.value
    }

    private func littleEndian(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }
}
