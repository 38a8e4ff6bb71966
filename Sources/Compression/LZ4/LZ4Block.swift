import CLZ4
package import NIOCore

/// One independent block of an LZ4 frame, as it is stored.
package struct LZ4Block: Sendable {
    /// The stored bytes, without length and checksum.
    package var bytes: ByteBuffer
    /// The content itself, because it did not compress.
    package var isStored: Bool
    /// Of the stored bytes, when the frame has such.
    package var checksum: UInt32?

    /// What comes next in a frame.
    package enum Next: Sendable {
        case block(LZ4Block)
        /// The end mark, and the checksum of the content when the frame has one.
        case end(checksum: UInt32?)
        /// At least so many bytes are needed in all.
        case incomplete(needed: Int)
    }

    /// Cuts the next block off `received`.
    /// - Throws: ``CompressionError`` when its length is impossible.
    package static func next(
        in frame: LZ4FrameHeader,
        from received: inout ByteBuffer
    ) throws(CompressionError) -> Next {
        guard let word: UInt32 = received.getInteger(at: received.readerIndex, endianness: .little) else {
            return .incomplete(needed: 4)
        }
        guard word != 0 else {
            guard frame.hasContentChecksum else {
                received.moveReaderIndex(forwardBy: 4)
                return .end(checksum: nil)
            }
            guard received.readableBytes >= 8 else { return .incomplete(needed: 8) }
            received.moveReaderIndex(forwardBy: 4)
            return .end(checksum: received.readInteger(endianness: .little))
        }
        let length = Int(word & 0x7FFF_FFFF)
        guard length <= frame.maximumBlock else {
            throw CompressionError(.corrupt, "LZ4 block of \(length) bytes in a frame of \(frame.maximumBlock) at most")
        }
        let whole = 4 + length + (frame.hasBlockChecksums ? 4 : 0)
        guard received.readableBytes >= whole else { return .incomplete(needed: whole) }
        received.moveReaderIndex(forwardBy: 4)
        guard let bytes = received.readSlice(length: length) else { return .incomplete(needed: whole) }
        let checksum: UInt32? = frame.hasBlockChecksums ? received.readInteger(endianness: .little) : nil
        return .block(LZ4Block(bytes: bytes, isStored: word & 0x8000_0000 != 0, checksum: checksum))
    }

    /// Decodes the block.
    /// - Parameter maximum: ``LZ4FrameHeader/maximumBlock``.
    /// - Returns: its content.
    /// - Throws: ``CompressionError`` with code `corrupt`.
    package func decoded(maximum: Int) throws(CompressionError) -> ByteBuffer {
        if let checksum, bytes.withUnsafeReadableBytes({ XXHash32.of($0) }) != checksum {
            throw CompressionError(.corrupt, "checksum mismatch in an LZ4 block")
        }
        if isStored { return bytes }
        var content = ByteBufferAllocator().buffer(capacity: maximum)
        var count: Int32 = -1
        content.writeWithUnsafeMutableBytes(minimumWritableBytes: maximum) { target in
            count = bytes.withUnsafeReadableBytes { source in
                LZ4_decompress_safe(
                    source.baseAddress?.assumingMemoryBound(to: CChar.self),
                    target.baseAddress?.assumingMemoryBound(to: CChar.self),
                    Int32(source.count),
                    Int32(maximum)
                )
            }
            return max(0, Int(count))
        }
        guard count >= 0 else { throw CompressionError(.corrupt, "an LZ4 block is damaged (code \(count))") }
        return content
    }
}
