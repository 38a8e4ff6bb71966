import Synchronization

/// What becomes of files that are written.
package enum FilePersistence: Sendable {
    /// They are synced at their end, and the writer keeps the disk's pace.
    case durable
    /// They are read soon, and then thrown away: nobody waits for the disk.
    ///
    /// What the allowance holds is left in memory altogether; the disk begins early with what is beyond.
    case scratch(UnwrittenAllowance)

    /// Whether files must be on disk before they count.
    package var isDurable: Bool {
        if case .durable = self { true } else { false }
    }
}

/// Bytes of all files together that may stay in the page cache without anybody asking the disk to take them.
package final class UnwrittenAllowance: Sendable {
    private let left: Mutex<Int64>

    /// Allows `bytes` in all.
    package init(bytes: Int64) {
        left = Mutex(bytes)
    }

    /// Takes `count` bytes of what is left.
    /// - Returns: false when there is less.
    func take(_ count: Int64) -> Bool {
        left.withLock { left in
            guard left >= count else { return false }
            left -= count
            return true
        }
    }
}
