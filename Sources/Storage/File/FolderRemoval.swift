import Streams
import SystemPackage

/// Removes a backup's folder so that nobody ever sees a part of it as a complete backup.
///
/// MANIFEST goes first. Then the folder gets another name in one step: a writer that was asleep meanwhile, and was taken
/// for dead, finds its folder gone and cannot put a MANIFEST beside files that are being removed.
enum FolderRemoval {
    private static let prefix = ".vtbackup-removed-"

    /// Whether a folder of this name is no backup any more.
    static func isRemoved(_ name: String) -> Bool { name.hasPrefix(prefix) }

    /// Removes the folder; absent is fine.
    /// - Throws: ``FileError``; what could not be removed is no complete backup any more.
    static func run(_ folder: FilePath) throws(FileError) {
        let parent = folder.removingLastComponent()
        guard let status = try FileTree.status(folder, followLinks: false) else { return }
        // A link's target is no backup of ours, and what is no folder has no MANIFEST.
        guard status.kind == .directory else {
            try FileTree.remove(folder)
            return try FileTree.sync(directory: parent)
        }
        try FileTree.remove(folder.appending(ObjectName.manifest.description))
        let aside = parent.appending(prefix + String(UInt64.random(in: 0...UInt64.max), radix: 16))
        do {
            try FileTree.sync(directory: folder)
            try FileTree.rename(folder, to: aside)
        } catch  where error.errno == .noSuchFileOrDirectory {
            // Somebody else removes it at the same time.
            return
        }
        // A MANIFEST that was put there until then is of no use to anybody under the new name.
        try FileTree.sync(directory: parent)
        try FileTree.remove(aside)
        finishOthers(in: parent)
        try FileTree.sync(directory: parent)
    }

    /// Removes what interrupted removals left in the folder of a shard, as far as it can be removed.
    ///
    /// What cannot was an error of its own removal; it keeps nobody from anything else.
    static func finishOthers(in parent: FilePath) {
        for name in (try? FileTree.list(parent)) ?? [] where isRemoved(name) {
            try? FileTree.remove(parent.appending(name))
        }
    }
}
