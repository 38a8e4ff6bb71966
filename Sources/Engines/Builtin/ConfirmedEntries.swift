import Catalog
import Synchronization

/// Collects the entries of a backup by index, from many tasks; complete or not at all.
final class ConfirmedEntries: Sendable {
    private let entries: Mutex<[FileEntry?]>

    init(count: Int) {
        entries = Mutex(Array(repeating: nil, count: count))
    }

    func set(_ entry: FileEntry, at index: Int) {
        entries.withLock { $0[index] = entry }
    }

    /// - Throws: ``EngineError`` when one is missing: a manifest must never be made without it.
    func all() throws -> [FileEntry] {
        try entries.withLock { entries in
            try entries.enumerated().map { index, entry in
                guard let entry else {
                    throw EngineError(.copyFailed, "object \(index) was never confirmed by the store")
                }
                return entry
            }
        }
    }
}
