package import Catalog
import Concurrency
package import Storage
import Synchronization
package import Vocabulary

/// The backups of one shard as storage holds them now.
package struct ShardBackups: Sendable {
    private static let manifestsAtOnce = 4
    package let shard: ShardPath
    package let storage: any BackupStorage

    /// Looks at `shard` in `storage`.
    package init(shard: ShardPath, storage: any BackupStorage) {
        (self.shard, self.storage) = (shard, storage)
    }

    /// Lists everything in the shard's folder, and reads every MANIFEST and the notes beside it, oldest first.
    /// - Parameters:
    ///   - known: what was loaded before: the MANIFEST of what was complete then is not read again.
    ///   - rereadsNotes: whether notes beside those are.
    /// - Returns: them, and what is known of each.
    /// - Throws: what the store throws when it cannot list, or cannot read a single one; else a backup whose manifest
    ///   cannot be read is listed as unreadable.
    package func load(
        reusing known: [ListedBackup] = [],
        rereadsNotes: Bool = false
    ) async throws -> [ListedBackup] {
        let complete = Dictionary(
            known.filter { $0.storedManifest != nil }.map { ($0.name, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        let names = try await storage.listBackups(of: shard)
        let firstError = Mutex<(any Error)?>(nil)
        let largeOnes = Slots(count: 1)
        let found = Mutex<[ListedBackup?]>(Array(repeating: nil, count: names.count))
        try await forEach(in: names.enumerated().map { ($0.offset, $0.element) }, atMost: Self.manifestsAtOnce) {
            index,
            name in
            let backup: ListedBackup
            do {
                backup =
                    if let known = complete[name] {
                        rereadsNotes ? try await withNotes(known) : known
                    } else {
                        try await read(name, largeOnes)
                    }
            } catch {
                try Task.checkCancellation()
                backup = ListedBackup(name: name, state: .unreadable("\(error)"))
                firstError.withLock { $0 = $0 ?? error }
            }
            found.withLock { $0[index] = backup }
        }
        let backups = found.withLock { $0.compactMap { $0 } }
        if let error = firstError.withLock({ $0 }), backups.allSatisfy({ $0.isUnreadable || $0.isForeign }) {
            throw error
        }
        return backups
    }

    private func read(_ name: String, _ largeOnes: Slots) async throws -> ListedBackup {
        // Whatever else lies there is not ours to open.
        guard (try? BackupName(name)) != nil else { return ListedBackup(name: name, state: .foreign) }
        let state = try await storage.backup(name, of: shard).manifest(files: .counted, readAlone: largeOnes)
        return try await withNotes(ListedBackup(name: name, state: state))
    }

    private func withNotes(_ backup: ListedBackup) async throws -> ListedBackup {
        guard backup.storedManifest != nil else { return backup }
        var backup = backup
        backup.verification = try await known { try await verification(of: backup.name) }
        backup.catchUpFailure = try await known { try await catchUpFailure(of: backup.name) }
        return backup
    }

    private func known<Record>(_ read: () async throws -> Record?) async throws -> ListedBackup.Known<Record> {
        do {
            return try await read().map { .record($0) } ?? .nothing
        } catch {
            try Task.checkCancellation()
            return .unreadable("\(error)")
        }
    }
}
