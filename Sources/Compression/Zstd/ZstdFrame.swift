import CZstd

/// What the header of a Zstandard frame says, and where the frame ends.
package struct ZstdFrame: Hashable, Sendable {
    /// Frames with more content than this are decoded as a stream.
    package static let maximumContent = 8 << 20
    /// The largest window that Vitess's reader accepts.
    package static let maximumWindow = 512 << 20
    /// Enough for every frame header.
    package static let maximumHeader = 18

    /// Bytes of content; `nil`: the writer did not know.
    package var contentLength: Int?
    /// Bytes of memory that decoding it as a stream takes.
    package var windowSize: Int

    /// Reads the header at the beginning of `bytes`; `nil`: more bytes are needed.
    /// - Throws: ``CompressionError`` when no frame begins there.
    package init?(header bytes: UnsafeRawBufferPointer) throws(CompressionError) {
        var header = ZSTD_frameHeader()
        let code = ZSTD_getFrameHeader(&header, bytes.baseAddress, bytes.count)
        guard ZSTD_isError(code) == 0 else {
            throw CompressionError(.corrupt, "no zstd frame: \(zstdErrorText(code))")
        }
        guard code == 0 else { return nil }
        if header.frameType == ZSTD_skippableFrame {
            // Without content, and skipped by whoever decodes it.
            (contentLength, windowSize) = (0, 0)
            return
        }
        guard header.windowSize <= Self.maximumWindow else {
            throw CompressionError(
                .unsupported,
                "zstd frame with a window of \(header.windowSize >> 20) MiB; \(Self.maximumWindow >> 20) MiB is the limit of the format here"
            )
        }
        // The C library's value for "unknown".
        contentLength = header.frameContentSize == UInt64.max ? nil : Int(clamping: header.frameContentSize)
        windowSize = Int(header.windowSize)
    }

    /// Length of the whole frame at the beginning of `bytes`; `nil`: it does not end within them.
    /// - Throws: ``CompressionError`` when it cannot be one.
    package static func length(_ bytes: UnsafeRawBufferPointer) throws(CompressionError) -> Int? {
        let code = ZSTD_findFrameCompressedSize(bytes.baseAddress, bytes.count)
        guard ZSTD_isError(code) != 0 else { return code }
        guard ZSTD_getErrorCode(code) == ZSTD_error_srcSize_wrong else {
            throw CompressionError(.corrupt, "zstd frame is damaged: \(zstdErrorText(code))")
        }
        return nil
    }
}
