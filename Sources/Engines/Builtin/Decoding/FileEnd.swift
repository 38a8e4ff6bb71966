import Host
import Synchronization
import SystemPackage

/// Puts the end of a file behind what is about to be written.
///
/// A file system may allocate in advance behind the end of a file that grows (XFS does), and what was skipped there stays
/// allocated: seen with a table of 151 MB in 40 MB of blocks, which took 132 when it was restored, and takes 35 like this.
/// Into a file that has its size already nothing is written behind the end.
final class FileEnd: Sendable {
    /// Where the size is not known, the end goes ahead by steps.
    static let step: Int64 = 64 << 20

    private let file: FileDescriptor
    private let size: Int64?
    private let end = Mutex(Int64(0))

    /// - Parameters:
    ///   - file: open for writing.
    ///   - size: what it will have, or more; `nil`: not known.
    init(_ file: FileDescriptor, size: Int64?) {
        (self.file, self.size) = (file, size)
    }

    /// Sees to it that the end is at least there; never takes anything away.
    ///
    /// Blocking.
    /// - Throws: `Errno`.
    func reach(_ offset: Int64) throws {
        try end.withLock { end in
            guard end < offset else { return }
            let next = max(offset, size ?? (offset + Self.step))
            if try file.sizeAndChange().size < next { try file.resize(to: next) }
            end = next
        }
    }
}
