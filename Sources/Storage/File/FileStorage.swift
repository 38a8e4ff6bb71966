package import Concurrency
import Host
package import SystemPackage
package import Vocabulary

/// Backups in a folder tree of a local or network file system, laid out as Vitess's `file` storage.
///
/// Unlike it, data is synced before MANIFEST appears, which happens by rename, and new folders are synced in their parents.
package struct FileStorage: BackupStorage {
    private static let ownFolder = ".vtbackup"

    private let root: FilePath
    private let threads: BlockingThreads
    private let owner: FolderOwner

    /// Uses the tree below `root`.
    ///
    /// - Parameters:
    ///   - root: `--file-backup-storage-root`; an empty path is the current folder.
    ///   - threads: where its blocking calls run.
    ///   - inheritsOwner: what is created gets owner and group of the folder above, which root can do.
    package init(root: FilePath, threads: BlockingThreads, inheritsOwner: Bool = false) {
        self.root = root.isEmpty ? "." : root
        self.threads = threads
        owner = FolderOwner(isActive: inheritsOwner)
    }

    package func listBackups(of shard: ShardPath) async throws -> [String] {
        let folder = path(of: shard)
        return try await threads.run {
            try (FileTree.list(folder, repairing: true) ?? []).filter { name in
                !FolderRemoval.isRemoved(name) && Self.isFolder(name, in: folder)
            }
        }
    }

    /// Whether a backup may stand there: also where nobody can tell, which shows when it is read.
    private static func isFolder(_ name: String, in folder: FilePath) -> Bool {
        // What was not UTF-8 cannot be asked for any more.
        if name.unicodeScalars.contains("\u{fffd}") { return true }
        do {
            return try FileTree.status(folder.appending(name), followLinks: false)?.kind == .directory
        } catch {
            return true
        }
    }

    package func startBackup(_ name: String, of shard: ShardPath) async throws -> any BackupWriter {
        let folder = path(of: shard)
        let backup = try path(of: name, in: shard)
        let removal = removal(of: shard)
        try await threads.run {
            try createDurably(folder)
            removal.finishOthers()
            do {
                try FileTree.createDirectory(backup, parents: false)
                owner.apply(to: backup)
            } catch let error as FileError where error.errno == .fileExists {
                throw StorageError(.alreadyExists, "backup \(shard)/\(name) exists already in \(root)")
            }
            try FileTree.sync(directory: folder)
        }
        return FileBackupWriter(name: name, folder: backup, removal: removal, owner: owner, threads: threads)
    }

    package func backup(_ name: String, of shard: ShardPath) throws -> any BackupReader {
        FileBackupReader(name: name, folder: try path(of: name, in: shard), threads: threads)
    }

    package func removeBackup(_ name: String, of shard: ShardPath) async throws {
        let backup = try path(of: name, in: shard)
        let removal = removal(of: shard)
        try await threads.run { try removal.run(backup) }
    }

    package func note(at place: Note.Place) async throws -> Note? {
        let path = try path(of: place)
        return try await threads.run { try FileNotes.read(path) }
    }

    package func writeNote(
        _ bytes: [UInt8],
        at place: Note.Place,
        expecting: Note.Expectation
    ) async throws -> String {
        let path = try path(of: place)
        return try await threads.run {
            if place.backup == nil { try createDurably(path.removingLastComponent()) }
            return try FileNotes.write(bytes, to: path, expecting: expecting, owner: owner)
        }
    }

    package func removeNote(at place: Note.Place, expecting: Note.Expectation) async throws {
        let path = try path(of: place)
        try await threads.run { try FileNotes.remove(path, expecting: expecting) }
    }

    private func path(of place: Note.Place) throws -> FilePath {
        let folder =
            if let backup = place.backup { try path(of: backup, in: place.shard) } else { path(of: place.shard) }
        return folder.appending(place.kind.rawValue)
    }

    private func removal(of shard: ShardPath) -> FolderRemoval {
        FolderRemoval(
            root: root,
            shardFolder: path(of: shard),
            aside: root.appending(Self.ownFolder).appending(shard.keyspace).appending(shard.shard),
            owner: owner
        )
    }

    private func path(of shard: ShardPath) -> FilePath {
        root.appending(shard.keyspace).appending(shard.shard)
    }

    /// Keyspace and shard are checked names; a backup's name may be anything that was listed, or typed by an operator.
    private func path(of name: String, in shard: ShardPath) throws -> FilePath {
        guard let component = FilePath.Component(name), component.kind == .regular, component.string == name else {
            throw StorageError(
                .invalidName,
                "invalid joined path: backup name \"\(PrintableText.excerpt(name))\" leaves \(shard)"
            )
        }
        return path(of: shard).appending(component)
    }

    /// Creates a folder and what is missing above it, each entry synced in its parent.
    private func createDurably(_ folder: FilePath) throws {
        if try FileTree.status(folder)?.kind == .directory { return }
        let parent = folder.removingLastComponent()
        if !parent.isEmpty { try createDurably(parent) }
        try FileTree.createDirectory(folder, parents: true)
        owner.apply(to: folder)
        try FileTree.sync(directory: parent.isEmpty ? "." : parent)
    }
}
