import Synchronization

/// Finds what was a hole in a tablespace whose pages InnoDB compresses as a whole, and was read as zeros.
///
/// Pages of one file come in any order: what comes before the first one that shows it is written as it is. What is a hole
/// decides only what the file takes on its disk.
final class PageHoles: Sendable {
    /// The unit in which file systems have holes.
    static let block = 4096
    /// InnoDB compresses pages as a whole from 8 KiB on.
    private static let pageSizes: [Int64] = [8192, 16_384, 32_768, 65_536]

    /// Whether the file has shown a page that is compressed: in other tables zeros stay allocated for when they are filled.
    private let compresses = Atomic(false)

    /// Whether the content so far belongs to a table with compressed pages.
    var hasShown: Bool { compresses.load(ordering: .relaxed) }

    /// Finds what must be written of the file's content.
    /// - Parameters:
    ///   - bytes: content.
    ///   - offset: where it goes in the file.
    /// - Returns: the parts, in order.
    func written(of bytes: UnsafeRawBufferPointer, at offset: Int64) -> [Range<Int>] {
        // The first whole block of the file in here.
        let first = Int((Int64(Self.block) - offset % Int64(Self.block)) % Int64(Self.block))
        var (parts, begin, compresses) = ([Range<Int>](), 0, compresses.load(ordering: .relaxed))
        for start in stride(from: first, through: bytes.count - Self.block, by: Self.block) {
            let content = UnsafeRawBufferPointer(rebasing: bytes[start..<(start + Self.block)])
            if !compresses, Self.isCompressed(content, at: offset + Int64(start)) {
                compresses = true
                self.compresses.store(true, ordering: .relaxed)
            }
            if compresses, Self.isZero(content) {
                if begin < start { parts.append(begin..<start) }
                begin = start + Self.block
            }
        }
        if begin < bytes.count { parts.append(begin..<bytes.count) }
        return parts
    }

    /// Whether a compressed page begins here: by its type, of MySQL or of MariaDB, whose newer one says how many units of
    /// 256 bytes are used, and by its number, which says where it belongs.
    private static func isCompressed(_ page: UnsafeRawBufferPointer, at offset: Int64) -> Bool {
        let type = UInt16(bigEndian: page.loadUnaligned(fromByteOffset: 24, as: UInt16.self))
        guard [14, 16, 34_354, 37_401].contains(type) || (0x8001...0x8100).contains(type) else { return false }
        let number = Int64(UInt32(bigEndian: page.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        return number > 0 && pageSizes.contains { number * $0 == offset }
    }

    private static func isZero(_ block: UnsafeRawBufferPointer) -> Bool {
        block.loadUnaligned(as: UInt64.self) == 0 && block.allSatisfy { $0 == 0 }
    }
}
