import CLinux
import Glibc
package import Host
import Synchronization
package import SystemPackage

/// A tablet's folder that is ours for as long as this process lives.
///
/// The folder holds a marker that is locked: when the lock is free, whoever made the folder is gone, and only then does a
/// later pass remove it. Folders without the marker belong to other tablets. While a folder is being made, and while it is
/// being removed, it has a name that no other tablet's has: it takes its own in one step with the marker in it, and gives it
/// up before the marker goes. On a file system that other machines use too, where a lock may be seen by one of them only,
/// the marker must also be of this machine's present boot.
package final class TabletClaim: Sendable {
    package let directory: TabletDirectory
    private let lock: Mutex<FileDescriptor?>

    private static let marker = "vtbackup.lock"

    /// Put in place of the marker by a pass that is just making it.
    private static let draft = "vtbackup.lock.new"

    static func isMarker(_ name: String) -> Bool { name == marker }

    private init(_ directory: TabletDirectory, _ lock: FileDescriptor) {
        self.directory = directory
        self.lock = Mutex(lock)
    }

    /// Creates the folder, which must not exist, and locks it; what could not be claimed is gone again.
    /// - Throws: ``FileError``, with `fileExists` when it is there.
    package static func make(_ directory: TabletDirectory, owner: FileOwner?) throws(FileError) -> TabletClaim {
        let unfinished = unfinished(directory.path)
        try FileTree.createDirectory(directory.path.removingLastComponent(), parents: true, owner: owner)
        try FileTree.createDirectory(unfinished, parents: false, owner: owner)
        var lock: FileDescriptor?
        do throws(FileError) {
            let marker = try makeMarker(in: unfinished)
            lock = marker
            try FileTree.place(unfinished, at: directory.path)
            return TabletClaim(directory, marker)
        } catch {
            try? FileTree.remove(unfinished)
            try? lock?.finish()
            throw error
        }
    }

    /// Behind the name of a folder that is being made or removed.
    private static let unfinished = ".unfinished"

    private static func unfinished(_ path: FilePath) -> FilePath { FilePath(path.string + unfinished) }

    /// A file in a tablet's folder, which is no link itself.
    private static func place(_ file: FilePath) -> ConfinedPath {
        let folder = file.removingLastComponent()
        return ConfinedPath(
            root: folder.removingLastComponent(),
            below: FilePath(root: nil, [folder, file].compactMap(\.lastComponent))
        )
    }

    private static func makeMarker(in folder: FilePath) throws(FileError) -> FileDescriptor {
        let draft = folder.appending(Self.draft)
        let lock = try FileTree.open(
            place(draft),
            .readWrite,
            options: [.create, .exclusiveCreate],
            permissions: .ownerReadWrite
        )
        do throws(FileError) {
            // Locked before it can be found under its name.
            guard flock(lock.rawValue, LOCK_EX | LOCK_NB) == 0 else {
                throw FileError("lock", draft, Errno(rawValue: errno))
            }
            _ = try fileCall("write", draft) { try lock.writeAll(boot()) }
            try FileTree.rename(draft, to: folder.appending(marker))
            return lock
        } catch {
            try? lock.finish()
            throw error
        }
    }

    private static func boot() -> [UInt8] {
        (try? FileTree.read("/proc/sys/kernel/random/boot_id", limit: 64)) ?? []
    }

    /// Removes everything in the folder but the marker.
    /// - Throws: ``FileError``.
    package func empty() throws(FileError) {
        try directory.empty(keeping: [Self.marker])
    }

    /// Removes the folder; what cannot be removed stays marked for a later pass.
    /// - Throws: ``FileError``.
    package func remove() throws(FileError) {
        defer { leave() }
        try empty()
        let unfinished = Self.unfinished(directory.path)
        do throws(FileError) {
            try FileTree.place(directory.path, at: unfinished)
        } catch {
            // Better a folder that is removed under its own name than one that stays.
            return try directory.remove()
        }
        try FileTree.remove(unfinished)
    }

    /// Folders of passes that are gone.
    /// - Parameter root: the folder of all tablets' folders.
    /// - Returns: each with its lock, so that two passes do not remove one at once.
    /// - Throws: ``FileError``.
    package static func abandoned(in root: FilePath) throws(FileError) -> [TabletClaim] {
        var found: [TabletClaim] = []
        let isLocal = try FileSystemSpace(of: root).isLocal
        for name in try FileTree.list(root) ?? [] where name.hasPrefix("vt_") {
            let isUnfinished = name.hasSuffix(unfinished)
            guard let uid = UInt32(name.dropFirst(3).dropLast(isUnfinished ? unfinished.utf8.count : 0)) else {
                continue
            }
            let finished = TabletDirectory(dataRoot: root, uid: uid)
            // No disks of others have been used for one that is just being made, or are any more for one that goes.
            let directory = isUnfinished ? TabletDirectory(path: Self.unfinished(finished.path), uid: uid) : finished
            // As root: a link that another user put there must not lead us to what is not ours.
            guard directory.path.lastComponent?.string == name,
                let status = try? FileTree.status(directory.path, followLinks: false), status.kind == .directory,
                let lock = freeMarker(in: directory, isLocal: isLocal)
                    ?? (isUnfinished ? markerOfUnmarked(directory, status, isLocal: isLocal) : nil)
            else { continue }
            found.append(TabletClaim(directory, lock))
        }
        return found
    }

    /// - Returns: the marker, locked; `nil` when there is none, its maker lives, or we may not look.
    private static func freeMarker(in directory: TabletDirectory, isLocal: Bool) -> FileDescriptor? {
        for name in [marker, draft] {
            // Opened first and looked at then: whoever owns the folder may put something else there meanwhile.
            guard
                let lock = try? FileTree.open(place(directory.path.appending(name)), .readWrite)
            else { continue }
            if isOurs(lock, isDraft: name == draft, isLocal: isLocal), flock(lock.rawValue, LOCK_EX | LOCK_NB) == 0 {
                return lock
            }
            try? lock.finish()
        }
        return nil
    }

    /// Marks a folder that its maker has left before it was marked, or its remover afterwards.
    /// - Returns: the marker, locked; `nil` when the maker may be about to make it.
    private static func markerOfUnmarked(
        _ directory: TabletDirectory,
        _ status: FileTree.Status,
        isLocal: Bool
    ) -> FileDescriptor? {
        let age = Int64(time(nil)) - status.modified / 1_000_000_000
        guard age > Int64(isLocal ? draftAge : foreignDraftAge), (try? FileTree.list(directory.path)) == [] else {
            return nil
        }
        return try? makeMarker(in: directory.path)
    }

    private static func isOurs(_ file: FileDescriptor, isDraft: Bool, isLocal: Bool) -> Bool {
        var status = Glibc.stat()
        guard fstat(file.rawValue, &status) == 0, status.st_uid == geteuid() else { return false }
        // A draft that is being locked right now must find itself free.
        if isDraft, time(nil) - status.st_mtim.tv_sec <= draftAge { return false }
        if isLocal { return true }
        let content = try? [UInt8](unsafeUninitializedCapacity: 64) { buffer, count in
            count = try file.readFully(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
        }
        return content == boot()
    }

    /// Seconds.
    private static let draftAge = 60
    /// The same where another machine's clock may be what the age comes from.
    private static let foreignDraftAge = 24 * 3600

    /// The mysqld that still runs on the folder, which a hook may have started; it must not lose its files.
    /// - Throws: ``FileError``.
    package func runningServer() throws(FileError) -> Int32? {
        guard let bytes = try FileTree.read(directory.pidFile, limit: 64),
            let process = Int32(String(decoding: bytes, as: UTF8.self).filter(\.isNumber)), process > 0
        else { return nil }
        let command = try FileTree.read(FilePath("/proc/\(process)/cmdline"), limit: 1 << 16)
        // The number may be another process's by now.
        guard let command, String(decoding: command, as: UTF8.self).contains(directory.path.string) else { return nil }
        return process
    }

    /// Lets go of a folder that is left as it is.
    package func leave() {
        lock.withLock { lock in
            try? lock?.close()
            lock = nil
        }
    }
}
