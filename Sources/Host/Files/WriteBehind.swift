import CLinux
import Glibc
import Synchronization
package import SystemPackage

/// Keeps the kernel writing while a large file is filled, and its pages out of the cache that others need.
///
/// Without it gigabytes of dirty pages gather, to be written all at once by the final sync, and push everything else out
/// of the cache. It makes nothing durable: that is the sync's work.
package final class WriteBehind: Sendable {
    /// Bytes that are handed to the disk together.
    package static let span: Int64 = 8 << 20

    /// Spans between the one that is begun and the one whose pages are let go, when nobody waits for the disk.
    private static let lag: Int64 = 8

    private let file: FileDescriptor
    private let base: Int64
    private let waits: Bool
    private let state = Mutex((written: Int64(0), started: Int64(0)))

    /// Follows the part of `file` that begins at `base`.
    /// - Parameters:
    ///   - file: open for writing.
    ///   - base: where the part begins, in bytes.
    ///   - waits: whether the writer keeps the disk's pace, as befits a file that is synced at its end; else the disk
    ///     only begins early, and how much may be unwritten is the kernel's affair.
    package init(_ file: FileDescriptor, from base: Int64 = 0, waits: Bool = true) {
        (self.file, self.base, self.waits) = (file, base, waits)
    }

    /// Notes that `count` more bytes were written, roughly in order; now and then begins to write them, and may wait for the disk.
    ///
    /// Blocking. Waiting for the disk takes its errors away from the sync at the end, so they are thrown here.
    /// - Throws: `Errno`; the file is not what was written then.
    package func wrote(_ count: Int) throws(Errno) {
        let spans = state.withLock { state -> Range<Int64> in
            state.written += Int64(count)
            let (before, now) = (state.started, state.written / Self.span)
            state.started = now
            return before..<now
        }
        for index in spans {
            _ = try synchronize(index, CLINUX_SYNC_FILE_RANGE_WRITE)
            if !waits {
                if index >= Self.lag { file.adviseDone(offset: offset(of: index - Self.lag), count: Int(Self.span)) }
            } else if index > 0 {
                try settle(index - 1)
            }
        }
    }

    /// Waits until a span is on disk and lets its pages go.
    private func settle(_ index: Int64) throws(Errno) {
        let flags =
            CLINUX_SYNC_FILE_RANGE_WAIT_BEFORE | CLINUX_SYNC_FILE_RANGE_WRITE | CLINUX_SYNC_FILE_RANGE_WAIT_AFTER
        guard try synchronize(index, flags) else { return }
        file.adviseDone(offset: offset(of: index), count: Int(Self.span))
    }

    private func offset(of index: Int64) -> Int64 { base + index * Self.span }

    /// - Returns: false on a file system that cannot do it, which is no error.
    private func synchronize(_ index: Int64, _ flags: Int) throws(Errno) -> Bool {
        while sync_file_range(file.rawValue, offset(of: index), Self.span, UInt32(flags)) != 0 {
            if errno != EINTR { return try isSupported() }
        }
        return true
    }

    private func isSupported() throws(Errno) -> Bool {
        let code = Errno(rawValue: errno)
        if [.noFunction, .invalidArgument, .illegalSeek, .notSupported].contains(code) { return false }
        throw code
    }
}
