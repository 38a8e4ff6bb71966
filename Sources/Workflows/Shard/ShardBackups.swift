package import Catalog
import Concurrency
import Logging
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

    /// Lists everything in the shard's folder and reads every MANIFEST, oldest first.
    /// - Throws: what the store throws when it cannot list, or cannot read a single one; else a backup whose manifest
    ///   cannot be read is listed as unreadable.
    package func load() async throws -> [ListedBackup] { try await load(reusing: []) }

    /// The same; what is known to be complete stays so and is not read again.
    func load(reusing known: [ListedBackup]) async throws -> [ListedBackup] {
        let complete = Dictionary(
            known.filter { $0.manifest != nil }.map { ($0.name, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        let names = try await storage.listBackups(of: shard)
        let firstError = Mutex<(any Error)?>(nil)
        let largeOnes = Slots(count: 1)
        let found = Mutex<[ListedBackup?]>(Array(repeating: nil, count: names.count))
        try await forEach(in: names.enumerated().map { ($0.offset, $0.element) }, atMost: Self.manifestsAtOnce) {
            index,
            name in
            // Whatever else lies there is not ours to open.
            guard (try? BackupName(name)) != nil else {
                return found.withLock { $0[index] = ListedBackup(name: name, state: .foreign) }
            }
            if let backup = complete[name] { return found.withLock { $0[index] = backup } }
            let state: ListedBackup.State
            do {
                state = try await storage.backup(name, of: shard).manifest(files: .counted, readAlone: largeOnes)
            } catch {
                try Task.checkCancellation()
                state = .unreadable("\(error)")
                firstError.withLock { $0 = $0 ?? error }
            }
            found.withLock { $0[index] = ListedBackup(name: name, state: state) }
        }
        let backups = found.withLock { $0.compactMap { $0 } }
        if let error = firstError.withLock({ $0 }), backups.allSatisfy({ $0.isUnreadable || $0.isForeign }) {
            throw error
        }
        return backups
    }
}
