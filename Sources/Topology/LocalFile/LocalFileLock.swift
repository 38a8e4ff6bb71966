import Glibc
import Host
import SystemPackage

/// A lock as a file that its holder has locked: it ends with the holder's process, whatever happens to it.
struct LocalFileLock: TopologyLock {
    private static let pause = Duration.milliseconds(50)

    private let place: FilePath
    private let descriptor: FileDescriptor

    /// Waits for the lock.
    /// - Throws: ``TopologyError`` with code `lockHeld` after `limit`.
    static func take(_ place: FilePath, _ record: LockRecord, within limit: Duration) async throws -> LocalFileLock {
        let clock = ContinuousClock()
        let begun = clock.now
        while true {
            if let lock = try attempt(place, record) { return lock }
            guard clock.now - begun < limit else {
                throw TopologyError.lockHeld(place.string, by: (try? FileTree.read(place, limit: 1 << 16)) ?? [])
            }
            try await clock.sleep(for: pause)
        }
    }

    /// - Returns: `nil` when somebody else has it.
    private static func attempt(_ place: FilePath, _ record: LockRecord) throws -> LocalFileLock? {
        do {
            try FileTree.createDirectory(place.removingLastComponent(), parents: true)
            let descriptor = try FileTree.open(
                place,
                .readWrite,
                options: [.create, .noFollow],
                permissions: [.ownerReadWrite, .groupRead, .otherRead]
            )
            let lock = LocalFileLock(place: place, descriptor: descriptor)
            do {
                guard try lock.lockFile(), lock.isInPlace else {
                    try descriptor.close()
                    return nil
                }
                try fileCall("write", place) {
                    try descriptor.resize(to: 0)
                    try descriptor.writeAll(record.encoded)
                }
                return lock
            } catch {
                try? descriptor.close()
                throw error
            }
        } catch let error as FileError {
            // Its holder removes the folder with it.
            if error.errno == .noSuchFileOrDirectory { return nil }
            throw TopologyError(.unavailable, "\(error)")
        }
    }

    private func lockFile() throws(FileError) -> Bool {
        while flock(descriptor.rawValue, LOCK_EX | LOCK_NB) != 0 {
            if errno == EWOULDBLOCK { return false }
            guard errno == EINTR else { throw FileError("lock", place, Errno(rawValue: errno)) }
        }
        return true
    }

    /// Whether the file that we have locked is the one that others find.
    private var isInPlace: Bool {
        var mine = stat()
        guard fstat(descriptor.rawValue, &mine) == 0, let found = try? FileTree.status(place) else { return false }
        return UInt64(mine.st_ino) == found.inode
    }

    func confirm() async throws {
        guard isInPlace else { throw TopologyError.lockLost(place.string, "somebody has removed it") }
    }

    var mayBeOver: Bool { !isInPlace }

    /// Gives it back; the kernel does so too when we end.
    func release() {
        if isInPlace {
            try? FileTree.remove(place)
            // Goes with its last file, unless somebody waits in it.
            _ = rmdir(place.removingLastComponent().string)
        }
        try? descriptor.close()
    }
}
