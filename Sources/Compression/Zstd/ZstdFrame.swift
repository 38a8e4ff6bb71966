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
    /// Bytes of the header; of the whole frame, if it is a skippable one.
    private var headerLength: Int
    private var hasChecksum: Bool
    private var isSkippable: Bool

    /// Reads the header at the beginning of `bytes`; `nil`: more bytes are needed.
    /// - Throws: ``CompressionError`` when no frame begins there.
    package init?(header bytes: UnsafeRawBufferPointer) throws(CompressionError) {
        var header = ZSTD_frameHeader()
        let code = ZSTD_getFrameHeader(&header, bytes.baseAddress, bytes.count)
        guard ZSTD_isError(code) == 0 else {
            throw CompressionError(.corrupt, "no zstd frame: \(zstdErrorText(code))")
        }
        guard code == 0 else { return nil }
        isSkippable = header.frameType == ZSTD_skippableFrame
        hasChecksum = header.checksumFlag != 0
        headerLength = Int(header.headerSize)
        if isSkippable {
            // Without content, and skipped by whoever decodes it.
            headerLength = 8 + Int(clamping: header.frameContentSize)
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

    /// How far the frame reaches.
    package enum Extent: Hashable, Sendable {
        /// It has so many bytes.
        case whole(Int)
        /// So many bytes must be seen to tell more.
        case atLeast(Int)
    }

    /// Walks the headers of the frame's blocks (RFC 8878, 3.1.1.2): 3 bytes little endian, bit 0 last block, bits 1 and 2
    /// type, the rest size; a block of type 1 is one byte.
    /// - Parameter bytes: as much of the frame as is there, from its beginning on.
    /// - Returns: its length, or how much must be there to tell.
    package func extent(of bytes: UnsafeRawBufferPointer) -> Extent {
        var end = headerLength
        if isSkippable { return end <= bytes.count ? .whole(end) : .atLeast(end) }
        while true {
            guard bytes.count >= end + 3 else { return .atLeast(end + 3) }
            let header = Int(bytes[end]) | Int(bytes[end + 1]) << 8 | Int(bytes[end + 2]) << 16
            end += 3 + (header >> 1 & 3 == 1 ? 1 : header >> 3)
            if header & 1 == 1 {
                end += hasChecksum ? 4 : 0
                return end <= bytes.count ? .whole(end) : .atLeast(end)
            }
        }
    }
}
