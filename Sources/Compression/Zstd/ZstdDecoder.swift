import CZstd

/// Decodes Zstandard: whole frames, or any stream of frames piece by piece.
///
/// One per thread at a time.
package final class ZstdDecoder: StreamDecoder {
    private let context: OpaquePointer?
    /// A frame has begun and not ended.
    private var insideFrame = false
    private var frames = 0
    /// First bytes of the frame.
    private var header: [UInt8] = []

    /// Allocates the tables and begins a fresh stream.
    /// - Parameter maximumWindow: bytes; a frame of the stream that needs more throws ``ZstdWindowExceeded``.
    package init(maximumWindow: Int = ZstdFrame.maximumWindow) {
        context = ZSTD_createDCtx()
        let log = Int.bitWidth - (max(maximumWindow, 1 << 10) - 1).leadingZeroBitCount
        ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Int32(log))
    }

    deinit {
        ZSTD_freeDCtx(context)
    }

    /// Decodes one whole frame; it must fill exactly `content`.
    /// - Throws: ``CompressionError`` with code `corrupt`, also for a wrong checksum; `unsupported` for one with a dictionary.
    package func decode(
        _ frame: UnsafeRawBufferPointer,
        into content: UnsafeMutableRawBufferPointer
    ) throws(CompressionError) {
        let code = ZSTD_decompressDCtx(context, content.baseAddress, content.count, frame.baseAddress, frame.count)
        guard ZSTD_isError(code) == 0 else {
            throw zstdError(code, "zstd frame")
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
            let begun = input.pos
            let code = ZSTD_decompressStream(context, &target, &input)
            guard ZSTD_isError(code) == 0 else {
                noteHeader(piece[begun...])
                throw try failure(code)
            }
            noteHeader(piece[begun..<input.pos])
            insideFrame = code != 0
            if code == 0 { (frames, header) = (frames + 1, []) }
            if target.pos > 0 { try output(UnsafeRawBufferPointer(rebasing: scratch[..<target.pos])) }
            isFull = target.pos == target.size && code != 0
        }
    }

    private func noteHeader(_ bytes: Slice<UnsafeRawBufferPointer>) {
        header += bytes.prefix(ZstdFrame.maximumHeader - header.count)
    }

    private func failure(_ code: Int) throws -> any Error {
        guard ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge,
            let frame = try header.withUnsafeBytes({ try ZstdFrame(header: $0) })
        else { return zstdError(code, "zstd stream, frame \(frames + 1),") }
        return ZstdWindowExceeded(needed: frame.windowSize)
    }

    /// An object without any byte is an empty file: so does Vitess write one.
    package func endStream() throws(CompressionError) {
        guard !insideFrame else {
            throw CompressionError(.corrupt, "zstd stream is truncated after \(frames) whole frames")
        }
    }
}

/// A frame of a stream takes more memory to decode than the decoder was given.
package struct ZstdWindowExceeded: Error, Hashable, Sendable {
    /// Bytes of the frame's window.
    package var needed: Int
}

/// What an error of the C library says of the bytes: damage, or that they are not for us.
func zstdError(_ code: Int, _ what: String) -> CompressionError {
    switch ZSTD_getErrorCode(code) {
    case ZSTD_error_dictionary_wrong:
        CompressionError(
            .unsupported,
            "\(what) needs a dictionary, which no backup has; HINT: \(StoredFormat.readByCommand("zstd -dc -D <dictionary>"))"
        )
    case ZSTD_error_frameParameter_windowTooLarge:
        CompressionError(
            .unsupported,
            "\(what) takes more memory to decode than is allowed here; HINT: give a larger --memory-budget"
        )
    case ZSTD_error_memory_allocation: CompressionError(.failed, "\(what) cannot be decoded: no memory")
    default: CompressionError(.corrupt, "\(what) is damaged: \(zstdErrorText(code))")
    }
}
