import CLinux

/// Finds the members of a gzip stream that another program wrote, one after another, without decoding.
///
/// A writer of independent members begins each with the same ten bytes: those of the first. That is a guess: the ten bytes
/// may also occur in compressed data. It becomes knowledge when everything between two of them decodes as exactly one
/// member, CRC and length right; whoever decodes must demand that of every member, or read the object anew in order.
package struct ForeignGzipScan: Sendable {
    /// Members with more bytes are not looked for: a stream of one huge member is decoded in order.
    package static let maximumMember = 8 << 20
    /// Members with more content are not decoded in parallel.
    package static let maximumContent = 16 << 20
    /// How many bytes to read at a time while the end of a member is looked for.
    package static let step = 1 << 18

    private static let headerSize = 10

    private let header: [UInt8]

    /// Takes the first bytes of the object; `nil` when its writer's members cannot be recognised: a header with a name, a
    /// time or anything else that varies.
    package init?(first bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.headerSize, bytes[0] == 0x1f, bytes[1] == 0x8b, bytes[2] == 8, bytes[3] == 0,
            bytes[4..<8].allSatisfy({ $0 == 0 })
        else { return nil }
        header = Array(bytes[..<Self.headerSize])
    }

    /// Where the member at the beginning of `bytes` ends, as far as can be seen: before the next header.
    /// - Parameters:
    ///   - bytes: from the beginning of a member on.
    ///   - seen: how many of them were searched before.
    /// - Returns: its length, or `nil` when no other header follows.
    package func end(ofMemberIn bytes: UnsafeRawBufferPointer, from seen: Int) -> Int? {
        let start = max(Self.headerSize, seen - Self.headerSize)
        guard let base = bytes.baseAddress, start < bytes.count else { return nil }
        return memmem(base + start, bytes.count - start, header, header.count).map { base.distance(to: $0) }
    }

    /// Bytes of content of the member that takes the first `length` of `bytes`, as its end says; `nil` when they are too
    /// many to be decoded in one go.
    package static func contentLength(ofMember bytes: UnsafeRawBufferPointer, length: Int) -> Int? {
        guard length >= headerSize + 2 + GzipMember.trailerSize, length <= bytes.count else { return nil }
        let count = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: length - 4, as: UInt32.self))
        return count <= maximumContent ? Int(count) : nil
    }
}
