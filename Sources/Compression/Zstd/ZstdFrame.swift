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
    /// - Throws: ``CompressionError`` when no frame begins there; `unsupported` for one that is not for us.
    package init?(header bytes: UnsafeRawBufferPointer) throws(CompressionError) {
        var header = CZstdFrameHeader()
        let code = ZSTD_getFrameHeader(&header, bytes.baseAddress, bytes.count)
        guard ZSTD_isError(code) == 0 else {
            // What zstd wrote before its format was settled (0.1 to 0.7).
            if bytes.count >= 4, bytes[1...3].elementsEqual([0xb5, 0x2f, 0xfd]), (0x1e...0x27).contains(bytes[0]) {
                throw CompressionError(
                    .unsupported,
                    "a zstd frame of a version before 0.8; HINT: \(StoredFormat.readByCommand("zstd -dc"))"
                )
            }
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
                "zstd frame with a window of \(header.windowSize >> 20) MiB, and \(Self.maximumWindow >> 20) MiB is the limit here; HINT: \(StoredFormat.readByCommand("zstd -dc --long=31 -M\((header.windowSize >> 20) + 1)MB"))"
            )
        }
        // The C library's value for "unknown".
        contentLength = header.frameContentSize == UInt64.max ? nil : Int(clamping: header.frameContentSize)
        windowSize = Int(header.windowSize)
    }

    /// How far the frame is known to reach before any block was looked at.
    package var extent: Extent {
        Extent(length: headerLength, isWhole: isSkippable, checksum: hasChecksum ? 4 : 0)
    }

    /// How far a frame reaches, found block by block without decoding (RFC 8878, 3.1.1.2).
    package struct Extent: Hashable, Sendable {
        /// Bytes of a block's header.
        package static let blockHeaderLength = 3

        /// Bytes from the frame's beginning on that belong to it; the next block's header follows.
        package fileprivate(set) var length: Int
        /// No block follows.
        package fileprivate(set) var isWhole: Bool
        fileprivate let checksum: Int

        /// Passes the block whose header is given: little endian, bit 0 last block, bits 1 and 2 type, the rest size; a
        /// block of type 1 is one byte.
        /// - Returns: false when the header has too few bytes.
        package mutating func pass(_ header: [UInt8]) -> Bool {
            guard header.count == Self.blockHeaderLength else { return false }
            let value = Int(header[0]) | Int(header[1]) << 8 | Int(header[2]) << 16
            length += Self.blockHeaderLength + (value >> 1 & 3 == 1 ? 1 : value >> 3)
            if value & 1 == 1 {
                length += checksum
                isWhole = true
            }
            return true
        }
    }
}
