import CLZ4
package import NIOCore

/// The checksum of LZ4's frame format, of a stream of bytes.
package final class XXHash32 {
    private let state: OpaquePointer?

    /// Creates the checksum of no bytes.
    package init() {
        state = XXH32_createState()
        XXH32_reset(state, 0)
    }

    deinit {
        XXH32_freeState(state)
    }

    /// Adds bytes.
    package func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        XXH32_update(state, base, bytes.count)
    }

    /// Adds the readable bytes of `buffer`.
    package func update(_ buffer: ByteBuffer) {
        buffer.withUnsafeReadableBytes { update($0) }
    }

    /// The checksum of everything added so far.
    package var value: UInt32 { XXH32_digest(state) }

    /// The checksum of `bytes` alone.
    package static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 { XXH32(bytes.baseAddress, bytes.count, 0) }
}
