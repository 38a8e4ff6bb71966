import Streams
import Synchronization
import SystemPackage

/// Puts the end of a file behind what is about to be written.
///
/// A file system may allocate in advance behind the end of a file that grows (XFS does), and what was skipped there stays
/// allocated: seen with 16 MiB in 4,096 compressed pages, which took 64 MiB. Behind nothing that is written into a file of
/// its size already is anything allocated in advance.
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
