/// The 24 bytes before the compressed data of every gzip member that we write.
///
/// An ordinary gzip header with one extra field of our own, subfield `VT`, that tells the length of the whole member
/// and of its content (u32 little endian each). A reader that knows it can find all members and their place in the file
/// without decoding; every other reader skips it. See `Documentation/formats/gzip-members.md`.
package struct GzipMember: Hashable, Sendable {
    /// Bytes of the header with the extra field.
    package static let headerSize = 24
    /// Bytes of CRC-32 and content length at the end.
    package static let trailerSize = 8
    /// No member is shorter: header, an empty block, trailer.
    static let minimumLength = headerSize + 2 + trailerSize
    /// No member that we write or accept in parallel has more content than this.
    package static let maximumContent = 32 << 20

    /// Bytes of the whole member, header and trailer included.
    package var length: Int
    /// Bytes of the content.
    package var contentLength: Int

    /// Writes the header in front of a member that is complete from byte 24 on.
    func write(to target: UnsafeMutableRawPointer) {
        target.storeBytes(of: UInt32(0x0408_8b1f).littleEndian, as: UInt32.self)  // magic, deflate, extra field
        target.storeBytes(of: 0, toByteOffset: 4, as: UInt32.self)  // no time: nothing varies
        // Fast, unknown OS, 12 bytes extra.
        target.storeBytes(of: UInt32(0x000c_ff04).littleEndian, toByteOffset: 8, as: UInt32.self)
        target.storeBytes(of: UInt32(0x0008_5456).littleEndian, toByteOffset: 12, as: UInt32.self)  // "VT", 8 bytes
        target.storeBytes(of: UInt32(length).littleEndian, toByteOffset: 16, as: UInt32.self)
        target.storeBytes(of: UInt32(contentLength).littleEndian, toByteOffset: 20, as: UInt32.self)
    }

    /// Reads a header of ours; `nil` when the bytes are another kind of gzip header, fewer than 24, or those of a member that
    /// is too large to be decoded in one go: in order it can be.
    /// - Throws: ``CompressionError`` when it is ours but its lengths are impossible.
    package init?(header: UnsafeRawBufferPointer) throws(CompressionError) {
        guard header.count >= Self.headerSize,
            header.loadLittleEndian(0) == 0x0408_8b1f, header.loadLittleEndian(4) == 0,
            header.loadLittleEndian(8) == 0x000c_ff04, header.loadLittleEndian(12) == 0x0008_5456
        else { return nil }
        length = Int(header.loadLittleEndian(16))
        contentLength = Int(header.loadLittleEndian(20))
        guard length >= Self.minimumLength, length <= Codec.bound(contentLength) else {
            throw CompressionError(
                .corrupt,
                "gzip member with impossible lengths: \(length) bytes for \(contentLength) bytes of content"
            )
        }
        guard contentLength <= Self.maximumContent else { return nil }
    }

    init(length: Int, contentLength: Int) {
        (self.length, self.contentLength) = (length, contentLength)
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func loadLittleEndian(_ offset: Int) -> UInt32 {
        UInt32(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}
