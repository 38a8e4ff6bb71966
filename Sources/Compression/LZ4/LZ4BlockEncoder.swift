import CLZ4
package import NIOCore

/// Compresses chunks of at most 1 MiB into blocks of an LZ4 frame, each with its length in front.
package final class LZ4BlockEncoder: ChunkEncoder {
    private static let isStored: UInt32 = 0x8000_0000

    private let level: Codec.LZ4Level
    private let state: UnsafeMutableRawPointer

    /// Allocates the tables for `level`.
    package init(level: Codec.LZ4Level) {
        self.level = level
        let size =
            switch level {
            case .fast: LZ4_sizeofState()
            case .high: LZ4_sizeofStateHC()
            }
        state = .allocate(byteCount: Int(size), alignment: 16)
    }

    deinit {
        state.deallocate()
    }

    package func encode(_ content: UnsafeRawBufferPointer) throws(CompressionError) -> ByteBuffer {
        var output = ByteBufferAllocator().buffer(capacity: 4 + content.count)
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: 4 + content.count) { target in
            let room = UnsafeMutableRawBufferPointer(rebasing: target[4..<4 + content.count])
            // With room for the content's own length only, what cannot be compressed does not fit and is stored.
            let count = compress(content, into: room)
            let isCompressed = count > 0 && count < content.count
            if !isCompressed { room.copyMemory(from: content) }
            let length = isCompressed ? UInt32(count) : UInt32(content.count) | Self.isStored
            target.storeBytes(of: length.littleEndian, as: UInt32.self)
            return 4 + (isCompressed ? count : content.count)
        }
        return output
    }

    private func compress(_ content: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Int {
        let from = content.baseAddress?.assumingMemoryBound(to: CChar.self)
        let to = target.baseAddress?.assumingMemoryBound(to: CChar.self)
        let (length, room) = (Int32(content.count), Int32(target.count))
        return switch level {
        case .fast: Int(LZ4_compress_fast_extState(state, from, to, length, room, 1))
        case .high(let level): Int(LZ4_compress_HC_extStateHC(state, from, to, length, room, Int32(level)))
        }
    }
}
