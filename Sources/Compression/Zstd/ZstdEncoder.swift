import CZstd
package import NIOCore

/// Compresses chunks into Zstandard frames that carry their content's size and checksum.
package final class ZstdEncoder: ChunkEncoder {
    private let context: OpaquePointer?

    /// Allocates the tables for a level of the C library.
    package init(level: Int) {
        context = ZSTD_createCCtx()
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level))
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    }

    deinit {
        ZSTD_freeCCtx(context)
    }

    package func encode(_ content: UnsafeRawBufferPointer) throws(CompressionError) -> ByteBuffer {
        let bound = ZSTD_compressBound(content.count)
        var output = ByteBufferAllocator().buffer(capacity: bound)
        var code = 0
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { target in
            code = ZSTD_compress2(context, target.baseAddress, target.count, content.baseAddress, content.count)
            return ZSTD_isError(code) == 0 ? code : 0
        }
        guard ZSTD_isError(code) == 0 else {
            throw CompressionError(.failed, "zstd could not compress a chunk: \(zstdErrorText(code))")
        }
        return output
    }
}

/// The C library's words for an error.
func zstdErrorText(_ code: Int) -> String { String(cString: ZSTD_getErrorName(code)) }
