import Catalog
import Synchronization

/// What a pass knows of its shard's backups: each MANIFEST and the notes beside it are read once, and refined by what the
/// pass finds out.
final class KnownBackups: Sendable {
    let backups: ShardBackups
    private let state = Mutex<[ListedBackup]>([])

    init(_ backups: ShardBackups) {
        self.backups = backups
    }

    /// Oldest first.
    var list: [ListedBackup] { state.withLock { $0 } }

    /// Looks for what has come and gone; what is known of the others stays.
    /// - Parameter rereadsNotes: whether others may have left notes meanwhile.
    /// - Throws: what ``ShardBackups/load(reusing:rereadsNotes:)`` throws.
    func refresh(rereadsNotes: Bool = false) async throws {
        let loaded = try await backups.load(reusing: list, rereadsNotes: rereadsNotes)
        state.withLock { $0 = loaded }
    }

    /// A backup that is listed as complete has been found to be no good.
    func reject(_ name: String, because reason: String) {
        state.withLock { list in
            for index in list.indices where list[index].name == name { list[index].finding = reason }
        }
    }

    /// One that was never finished has been removed.
    func forget(_ name: String) {
        state.withLock { $0.removeAll { $0.name == name } }
    }
}
