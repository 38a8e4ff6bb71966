import CISAL
package import NIOCore

/// CRC-32 (IEEE 802.3, reflected, as in gzip and in manifests) of a byte stream.
package struct CRC32: Hashable, Sendable {
    /// The checksum of everything added so far; zero for nothing.
    package private(set) var value: UInt32 = 0

    /// Creates the checksum of no bytes.
    package init() {}

    /// Adds bytes.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
        value = crc32_gzip_refl(value, base.assumingMemoryBound(to: UInt8.self), UInt64(bytes.count))
    }

    /// Adds the readable bytes of `buffer`.
    package mutating func update(_ buffer: ByteBuffer) {
        buffer.withUnsafeReadableBytes { update($0) }
    }
}
