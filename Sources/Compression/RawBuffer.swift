/// A block of memory that is freed with its owner; aligned to pages so that it serves direct I/O as well.
package final class RawBuffer {
    /// The memory.
    package let bytes: UnsafeMutableRawBufferPointer

    /// Allocates `count` bytes.
    package init(count: Int) {
        bytes = .allocate(byteCount: max(count, 1), alignment: 4096)
    }

    deinit {
        bytes.deallocate()
    }
}
