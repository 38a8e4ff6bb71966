import Synchronization

/// How far a copy is.
///
/// Written by the engine from many tasks, read by whoever shows it.
package final class TransferMeter: Sendable {
    /// One moment of a copy.
    package struct Reading: Hashable, Sendable {
        package var files = 0
        package var totalFiles = 0
        /// Bytes of files, before compression.
        package var bytes: Int64 = 0
        /// Zero when it is not known.
        package var totalBytes: Int64 = 0
    }

    private let state = Mutex(Reading())

    /// Creates a meter at zero.
    package init() {}

    /// The present state.
    package var reading: Reading { state.withLock { $0 } }

    func begin(files: Int, bytes: Int64) {
        state.withLock { $0 = Reading(files: 0, totalFiles: files, bytes: 0, totalBytes: bytes) }
    }

    /// Adds bytes; negative when an attempt failed and its bytes do not count.
    func add(bytes: Int64) { state.withLock { $0.bytes += bytes } }

    func finishFile() { state.withLock { $0.files += 1 } }
}
