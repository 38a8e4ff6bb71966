import CISAL

/// CRC-32C (Castagnoli, reflected, as in iSCSI), which InnoDB's pages carry.
enum CRC32C {
    /// The checksum of the bytes.
    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return 0 }
        // The C function takes a mutable pointer and only reads.
        let start = UnsafeMutablePointer(mutating: base.assumingMemoryBound(to: UInt8.self))
        return ~crc32_iscsi(start, Int32(bytes.count), ~0)
    }
}
