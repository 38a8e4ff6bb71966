package import NIOCore

/// The header of an LZ4 frame (LZ4 Frame Format 1.6.2).
package struct LZ4FrameHeader: Hashable, Sendable {
    /// Every frame begins with this number.
    static let magic: UInt32 = 0x184D_2204
    /// Frames of another format, which `lz4 -l` writes.
    static let legacyMagic: UInt32 = 0x184C_2102
    /// Bytes of the longest header: magic, flags, block size, content size, dictionary, checksum.
    package static let maximumLength = 19

    /// Bytes of this header.
    package var length: Int
    /// Bytes of content that no block exceeds.
    package var maximumBlock: Int
    /// Blocks decode without the ones before.
    package var hasIndependentBlocks: Bool
    /// Every block is followed by the checksum of its stored bytes.
    package var hasBlockChecksums: Bool
    /// The frame ends with the checksum of its content.
    package var hasContentChecksum: Bool
    /// Bytes of content, when the writer knew.
    package var contentLength: UInt64?

    /// Reads the header at the beginning of `bytes`; `nil`: more bytes are needed.
    /// - Throws: ``CompressionError`` with code `corrupt` when it is damaged or none; `unsupported` when it is whole and not
    ///   for us.
    package init?(_ bytes: UnsafeRawBufferPointer) throws(CompressionError) {
        guard bytes.count >= 7 else { return nil }
        let magic = UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
        guard magic != Self.legacyMagic else { throw Self.unsupported("an LZ4 frame of the legacy format", "lz4 -dc") }
        guard magic == Self.magic else { throw CompressionError(.corrupt, "no LZ4 frame") }
        let (flags, block) = (bytes[4], bytes[5])
        let (hasSize, hasDictionary) = (flags & 0x08 != 0, flags & 0x01 != 0)
        length = 7 + (hasSize ? 8 : 0) + (hasDictionary ? 4 : 0)
        guard bytes.count >= length else { return nil }
        let checksum = XXHash32.of(UnsafeRawBufferPointer(rebasing: bytes[4..<length - 1]))
        guard bytes[length - 1] == UInt8(truncatingIfNeeded: checksum >> 8) else {
            throw CompressionError(.corrupt, "the header of an LZ4 frame is damaged")
        }
        // It says what its writer meant.
        guard flags >> 6 == 1, flags & 0x02 == 0, block & 0x8F == 0, block >> 4 >= 4 else {
            throw Self.unsupported("an LZ4 frame of a later version of the format", "lz4 -dc")
        }
        guard !hasDictionary else {
            throw Self.unsupported("an LZ4 frame with a dictionary, which no backup has,", "lz4 -dc -D <dictionary>")
        }
        maximumBlock = 1 << (8 + 2 * Int(block >> 4))
        hasIndependentBlocks = flags & 0x20 != 0
        hasBlockChecksums = flags & 0x10 != 0
        hasContentChecksum = flags & 0x04 != 0
        contentLength = hasSize ? UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 6, as: UInt64.self)) : nil
    }

    private static func unsupported(_ what: String, _ command: String) -> CompressionError {
        CompressionError(
            .unsupported,
            "\(what) is not read here; HINT: \(StoredFormat.readByCommand(command))"
        )
    }
}

/// What stands around the blocks of an object of ours: header, end mark and the checksum of all content.
///
/// The frame is one for the whole object: readers of Vitess's time do not read on behind the first.
package final class LZ4FrameWriter {
    private let checksum = XXHash32()

    /// Begins a frame.
    package init() {}

    /// Independent blocks of at most 1 MiB, content checksum.
    package var header: ByteBuffer {
        let descriptor: [UInt8] = [0x64, 0x60]
        var header = ByteBuffer()
        header.writeInteger(LZ4FrameHeader.magic, endianness: .little)
        header.writeBytes(descriptor)
        header.writeInteger(UInt8(truncatingIfNeeded: descriptor.withUnsafeBytes { XXHash32.of($0) } >> 8))
        return header
    }

    /// Adds the content of the next block.
    package func add(_ content: ByteBuffer) { checksum.update(content) }

    /// What follows the last block.
    package var end: ByteBuffer {
        var end = ByteBuffer()
        end.writeInteger(UInt32(0))
        end.writeInteger(checksum.value, endianness: .little)
        return end
    }
}
