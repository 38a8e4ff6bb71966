package import Catalog
import Logging
package import Storage
import Streams
import Synchronization

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
    /// - Throws: what the store throws; an unreadable manifest is no error but an incomplete backup.
    package func load() async throws -> [ListedBackup] {
        let names = try await storage.listBackups(of: shard)
        let found = Mutex<[ListedBackup?]>(Array(repeating: nil, count: names.count))
        try await forEach(in: names.enumerated().map { ($0.offset, $0.element) }, atMost: Self.manifestsAtOnce) {
            index,
            name in
            let state = try await storage.backup(name, of: shard).manifest()
            found.withLock { $0[index] = ListedBackup(name: name, state: state) }
        }
        return found.withLock { $0.compactMap { $0 } }
    }
}
