import CLinux
import Glibc
package import Streams
import Synchronization
package import SystemPackage

/// A tablet's folder that is ours for as long as this process lives.
///
/// The folder holds a marker that is locked: when the lock is free, whoever made the folder is gone, and only then does a
/// later pass remove it. Folders without the marker belong to other tablets. On a file system that other machines use too,
/// where a lock may be seen by one of them only, the marker must also be of this machine's present boot.
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
        try directory.claim(owner: owner)
        do throws(FileError) {
            return TabletClaim(directory, try makeMarker(in: directory))
        } catch {
            try? directory.remove()
            throw error
        }
    }

    private static func makeMarker(in directory: TabletDirectory) throws(FileError) -> FileDescriptor {
        let draft = directory.path.appending(Self.draft)
        let lock = try FileTree.open(
            draft,
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
            try FileTree.rename(draft, to: directory.path.appending(marker))
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
        try directory.remove()
    }

    /// Folders of passes that are gone.
    /// - Parameter root: the folder of all tablets' folders.
    /// - Returns: each with its lock, so that two passes do not remove one at once.
    /// - Throws: ``FileError``.
    package static func abandoned(in root: FilePath) throws(FileError) -> [TabletClaim] {
        var found: [TabletClaim] = []
        let isLocal = try FileSystemSpace(of: root).isLocal
        for name in try FileTree.list(root) ?? [] where name.hasPrefix("vt_") {
            guard let uid = UInt32(name.dropFirst(3)) else { continue }
            let directory = TabletDirectory(dataRoot: root, uid: uid)
            // As root: a link that another user put there must not lead us to what is not ours.
            guard directory.path.lastComponent?.string == name,
                (try? FileTree.status(directory.path, followLinks: false))?.kind == .directory,
                let lock = freeMarker(in: directory, isLocal: isLocal)
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
                let lock = try? FileTree.open(directory.path.appending(name), .readWrite, options: .noFollow)
            else { continue }
            if isOurs(lock, isDraft: name == draft, isLocal: isLocal), flock(lock.rawValue, LOCK_EX | LOCK_NB) == 0 {
                return lock
            }
            try? lock.finish()
        }
        return nil
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
