import Catalog
import Synchronization

/// The entries of a backup while its files are copied, by many tasks; complete or not at all.
///
/// Made with the files' names, so that the list which becomes the manifest's is the only one: there may be 200,000.
final class ConfirmedEntries: Sendable {
    private let entries: Mutex<[FileEntry]>

    init(_ files: [SelectedFile]) {
        entries = Mutex(files.map { FileEntry(base: $0.base, name: $0.name, hash: 0) })
    }

    /// Notes what the store has taken of a file.
    func confirm(_ index: Int, hash: UInt32, sizes: FileEntry.Sizes) {
        entries.withLock { ($0[index].hash, $0[index].sizes) = (hash, sizes) }
    }

    /// Hands the entries over.
    /// - Throws: ``EngineError`` when one was not confirmed: a manifest must never be made without it.
    func take() throws -> [FileEntry] {
        try entries.withLock { entries in
            if let index = entries.firstIndex(where: { $0.sizes == nil }) {
                throw EngineError(.copyFailed, "object \(index) was never confirmed by the store")
            }
            defer { entries = [] }
            return entries
        }
    }
}
