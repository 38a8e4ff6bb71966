import Glibc
import Host
import SystemPackage

/// Removes a backup's folder so that nobody ever sees a part of it as a complete backup, nor anything that is no backup.
///
/// The folder gets another name in one step, outside of the shard: Vitess's passes end at a folder whose name is no backup's.
/// A writer that was asleep meanwhile, and was taken for dead, finds its folder gone and cannot put a MANIFEST beside files
/// that are being removed. Where a folder cannot be renamed, or nothing may be made at the root, its MANIFEST goes first.
struct FolderRemoval: Sendable {
    /// What versions before this one called it, inside the shard.
    private static let formerPrefix = ".vtbackup-removed-"
    private static let prefix = "removed-"
    /// A backup that somebody writes to is removed so often before it is given up.
    private static let attempts = 3

    /// Of all backups.
    let root: FilePath
    /// Of the shard's backups.
    let shardFolder: FilePath
    /// Outside of the shard, where removals are finished: `.vtbackup/<keyspace>/<shard>`.
    let aside: FilePath
    let owner: FolderOwner

    /// Whether a folder of this name in a shard is no backup any more.
    static func isRemoved(_ name: String) -> Bool { name.hasPrefix(formerPrefix) }

    /// Removes the folder; absent is fine.
    /// - Throws: ``FileError``; the backup is as it was then, or no complete backup any more.
    func run(_ folder: FilePath) throws(FileError) {
        guard let status = try FileTree.status(folder, followLinks: false) else { return }
        // A link's target is no backup of ours, and what is no folder has no MANIFEST.
        guard status.kind == .directory else {
            try FileTree.remove(folder)
            return try FileTree.sync(directory: shardFolder)
        }
        defer { finishOthers() }
        guard let moved = moveAside(folder) else { return try removeInPlace(folder) }
        try FileTree.sync(directory: shardFolder)
        try FileTree.remove(moved)
    }

    /// Removes what interrupted removals left, as far as it can be removed, and the folders for it.
    ///
    /// What cannot was an error of its own removal; it keeps nobody from anything else.
    func finishOthers() {
        for name in (try? FileTree.list(shardFolder)) ?? [] where Self.isRemoved(name) {
            try? FileTree.remove(shardFolder.appending(name))
        }
        for name in (try? FileTree.list(aside)) ?? [] where name.hasPrefix(Self.prefix) {
            try? FileTree.remove(aside.appending(name))
        }
        // From below, as far as they are empty.
        var place = aside
        while place != root, !place.isEmpty, rmdir(place.string) == 0 { place = place.removingLastComponent() }
    }

    /// - Returns: where the folder stands now; `nil` when it could not be moved in one step.
    private func moveAside(_ folder: FilePath) -> FilePath? {
        let target = aside.appending(Self.prefix + String(UInt64.random(in: 0...UInt64.max), radix: 16))
        for _ in 1...Self.attempts {
            do {
                try createAside(aside)
                try FileTree.rename(folder, to: target)
                return target
            } catch {
                // The end of another removal may just have taken the empty folder away.
                guard error.errno == .noSuchFileOrDirectory, (try? FileTree.status(folder)) != nil else { return nil }
            }
        }
        return nil
    }

    private func createAside(_ folder: FilePath) throws(FileError) {
        if try FileTree.status(folder) != nil { return }
        if folder != root { try createAside(folder.removingLastComponent()) }
        try FileTree.createDirectory(folder, parents: true)
        owner.apply(to: folder)
    }

    private func removeInPlace(_ folder: FilePath) throws(FileError) {
        for attempt in 1...Self.attempts {
            do {
                try FileTree.remove(folder.appending(ObjectName.manifest.description))
                if try FileTree.status(folder) != nil { try FileTree.sync(directory: folder) }
                try FileTree.remove(folder)
                return try FileTree.sync(directory: shardFolder)
            } catch {
                if error.errno == .noSuchFileOrDirectory, try FileTree.status(folder) == nil { return }
                // Somebody has put something into it meanwhile.
                guard error.errno == .directoryNotEmpty, attempt < Self.attempts else { throw error }
            }
        }
    }
}
