import CZstd

/// Decodes Zstandard: whole frames, or any stream of frames piece by piece.
///
/// One per thread at a time.
package final class ZstdDecoder: StreamDecoder {
    private let context: OpaquePointer?
    /// A frame has begun and not ended.
    private var insideFrame = false
    private var frames = 0

    /// Allocates the tables and begins a fresh stream.
    /// - Parameter maximumWindow: bytes; a frame of the stream that needs more is an error.
    package init(maximumWindow: Int = ZstdFrame.maximumWindow) {
        context = ZSTD_createDCtx()
        let log = Int.bitWidth - (max(maximumWindow, 1 << 10) - 1).leadingZeroBitCount
        ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Int32(log))
    }

    deinit {
        ZSTD_freeDCtx(context)
    }

    /// Decodes one whole frame; it must fill exactly `content`.
    /// - Throws: ``CompressionError`` with code `corrupt`, also for a wrong checksum.
    package func decode(
        _ frame: UnsafeRawBufferPointer,
        into content: UnsafeMutableRawBufferPointer
    ) throws(CompressionError) {
        let code = ZSTD_decompressDCtx(context, content.baseAddress, content.count, frame.baseAddress, frame.count)
        guard ZSTD_isError(code) == 0 else {
            throw CompressionError(.corrupt, "zstd frame is damaged: \(zstdErrorText(code))")
        }
        guard code == content.count else {
            throw CompressionError(.corrupt, "zstd frame of \(code) bytes says that it has \(content.count)")
        }
    }

    package func decode(
        next piece: UnsafeRawBufferPointer,
        scratch: UnsafeMutableRawBufferPointer,
        output: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var input = ZSTD_inBuffer(src: piece.baseAddress, size: piece.count, pos: 0)
        var isFull = false
        // A full output says that more content may be waiting although all input is used up.
        while input.pos < input.size || isFull {
            var target = ZSTD_outBuffer(dst: scratch.baseAddress, size: scratch.count, pos: 0)
            let code = ZSTD_decompressStream(context, &target, &input)
            guard ZSTD_isError(code) == 0 else {
                throw CompressionError(
                    .corrupt,
                    "zstd stream is damaged in frame \(frames + 1): \(zstdErrorText(code))"
                )
            }
            insideFrame = code != 0
            if code == 0 { frames += 1 }
            if target.pos > 0 { try output(UnsafeRawBufferPointer(rebasing: scratch[..<target.pos])) }
            isFull = target.pos == target.size && code != 0
        }
    }

    /// An object without any byte is an empty file: so does Vitess write one.
    package func endStream() throws(CompressionError) {
        guard !insideFrame else {
            throw CompressionError(.corrupt, "zstd stream is truncated after \(frames) whole frames")
        }
    }
}
