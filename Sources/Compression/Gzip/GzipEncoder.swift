import CISAL
package import NIOCore

/// Compresses chunks into gzip members.
///
/// Holds the codec's tables: use one per thread at a time, again and again.
package final class GzipEncoder: ChunkEncoder {
    private let stream: UnsafeMutablePointer<isal_zstream>
    private let levelBuffer: UnsafeMutableRawPointer
    private let levelBufferSize: Int
    private let level: Codec.GzipLevel

    /// Allocates the tables for `level`.
    package init(level: Codec.GzipLevel) {
        self.level = level
        levelBufferSize =
            switch level {
            case .stored, .isal(0): Int(CISAL_LEVEL0_BUFFER)
            case .isal(1): Int(CISAL_LEVEL1_BUFFER)
            case .isal(2): Int(CISAL_LEVEL2_BUFFER)
            case .isal: Int(CISAL_LEVEL3_BUFFER)
            }
        stream = .allocate(capacity: 1)
        stream.initialize(to: isal_zstream())
        levelBuffer = .allocate(byteCount: max(levelBufferSize, 1), alignment: 64)
    }

    deinit {
        stream.deallocate()
        levelBuffer.deallocate()
    }

    /// Compresses `content` into one whole member.
    /// - Throws: ``CompressionError`` with code `failed`; the output is large enough for any input.
    package func encode(_ content: UnsafeRawBufferPointer) throws(CompressionError) -> ByteBuffer {
        var output = ByteBufferAllocator().buffer(capacity: Codec.bound(content.count))
        var failure: Int32 = 0
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: Codec.bound(content.count)) { target in
            let body = UnsafeMutableRawBufferPointer(rebasing: target[GzipMember.headerSize...])
            let written: Int
            switch level {
            case .stored: written = store(content, into: body)
            case .isal(let level):
                switch deflate(content, into: body, level: level) {
                case .success(let count): written = count
                case .failure(let code):
                    failure = code.code
                    return 0
                }
            }
            let member = GzipMember(length: GzipMember.headerSize + written, contentLength: content.count)
            if let base = target.baseAddress { member.write(to: base) }
            return member.length
        }
        guard failure == 0 else {
            throw CompressionError(.failed, "ISA-L could not compress a chunk (code \(failure))")
        }
        return output
    }

    private struct ISALFailure: Error { var code: Int32 }

    /// Deflate data, CRC-32 and length; ISA-L leaves the header to us.
    private func deflate(
        _ content: UnsafeRawBufferPointer,
        into target: UnsafeMutableRawBufferPointer,
        level: Int
    ) -> Result<Int, ISALFailure> {
        isal_deflate_stateless_init(stream)
        stream.pointee.level = UInt32(level)
        stream.pointee.level_buf = levelBuffer.assumingMemoryBound(to: UInt8.self)
        stream.pointee.level_buf_size = UInt32(levelBufferSize)
        stream.pointee.end_of_stream = 1
        stream.pointee.flush = UInt16(NO_FLUSH)
        stream.pointee.gzip_flag = UInt16(IGZIP_GZIP_NO_HDR)
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: content.baseAddress?.assumingMemoryBound(to: UInt8.self)
        )
        stream.pointee.avail_in = UInt32(content.count)
        stream.pointee.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(target.count)
        let code = isal_deflate_stateless(stream)
        guard code == COMP_OK, stream.pointee.avail_in == 0 else {
            return .failure(ISALFailure(code: code == 0 ? -99 : code))
        }
        return .success(Int(stream.pointee.total_out))
    }

    /// Stored deflate blocks of at most 65,535 bytes, then CRC-32 and length.
    private func store(_ content: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Int {
        var (read, written) = (0, 0)
        repeat {
            let count = min(65_535, content.count - read)
            target[written] = read + count == content.count ? 1 : 0
            target.storeBytes(of: UInt16(count).littleEndian, toByteOffset: written + 1, as: UInt16.self)
            target.storeBytes(of: ~UInt16(count).littleEndian, toByteOffset: written + 3, as: UInt16.self)
            if count > 0 {
                UnsafeMutableRawBufferPointer(rebasing: target[(written + 5)...])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: content[read..<read + count]))
            }
            read += count
            written += 5 + count
        } while read < content.count
        let crc = crc32_gzip_refl(0, content.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt64(content.count))
        target.storeBytes(of: crc.littleEndian, toByteOffset: written, as: UInt32.self)
        target.storeBytes(of: UInt32(content.count).littleEndian, toByteOffset: written + 4, as: UInt32.self)
        return written + 8
    }
}
