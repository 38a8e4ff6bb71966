import CLinux
import Glibc
import Streams
import SystemPackage

/// Notes as files: written whole beside their place, then put there in one step.
enum FileNotes {
    /// - Returns: `nil` when there is none.
    static func read(_ path: FilePath) throws -> Note? {
        guard let bytes = try FileTree.read(path, limit: Note.maximumSize) else { return nil }
        return Note(bytes: bytes, version: version(bytes))
    }

    /// Writes when what is there is what is expected.
    /// - Returns: the new version.
    /// - Throws: ``StorageError`` with code `conflict`; `notFound` when the folder is not there; ``FileError``.
    static func write(_ bytes: [UInt8], to path: FilePath, expecting: Note.Expectation) throws -> String {
        try locked(path) {
            guard try isExpected(path, expecting) else { throw conflict(path) }
            let draft = FilePath(path.string + ".\(getpid()).\(UInt32.random(in: 0...UInt32.max))")
            do {
                try FileTree.write(bytes, to: draft, durable: true)
                if expecting == .nothing {
                    // Not by rename: who comes second must see it, also where folders cannot be locked.
                    try linkExclusively(draft, path)
                    try FileTree.remove(draft)
                } else {
                    try FileTree.rename(draft, to: path)
                }
            } catch {
                try? FileTree.remove(draft)
                throw error
            }
            try FileTree.sync(directory: path.removingLastComponent())
            return version(bytes)
        }
    }

    /// Removes what is expected; absent is fine.
    static func remove(_ path: FilePath, expecting: Note.Expectation) throws {
        guard try FileTree.status(path) != nil else { return }
        try locked(path) {
            guard try isExpected(path, expecting) else { throw conflict(path) }
            try FileTree.remove(path)
            try removeDrafts(path)
            try FileTree.sync(directory: path.removingLastComponent())
        }
    }

    private static func isExpected(_ path: FilePath, _ expectation: Note.Expectation) throws -> Bool {
        switch expectation {
        case .anything: true
        case .nothing: try FileTree.status(path) == nil
        case .version(let version): try read(path)?.version == version
        }
    }

    /// What a writer that was killed left: nobody is writing, the folder is locked.
    private static func removeDrafts(_ path: FilePath) throws {
        let (folder, prefix) = (path.removingLastComponent(), (path.lastComponent?.string ?? "") + ".")
        for name in try FileTree.list(folder) ?? [] where name.hasPrefix(prefix) {
            try FileTree.remove(folder.appending(name))
        }
    }

    private static func linkExclusively(_ draft: FilePath, _ path: FilePath) throws {
        guard link(draft.string, path.string) != 0 else { return }
        let code = Errno(rawValue: errno)
        throw code == .fileExists ? conflict(path) : FileError("link", path, code)
    }

    private static func conflict(_ path: FilePath) -> StorageError {
        StorageError(.conflict, "\(path) was changed by somebody else")
    }

    /// The content itself: every writer puts something in that only it writes.
    private static func version(_ bytes: [UInt8]) -> String {
        var crc = CRC32()
        bytes.withUnsafeBytes { crc.update($0) }
        return "\(bytes.count)-\(crc.value)-" + String(decoding: bytes.prefix(256), as: UTF8.self)
    }

    /// Keeps two of us from comparing and replacing at once, where the file system lets folders be locked.
    /// - Throws: ``StorageError`` with code `notFound` when the folder is not there, or is removed meanwhile; what `body`
    ///   throws.
    private static func locked<Result>(_ path: FilePath, _ body: () throws -> Result) throws -> Result {
        let folder = path.removingLastComponent()
        do {
            let descriptor = try fileCall("open", folder) {
                try FileDescriptor.open(folder, .readOnly, options: [.directory, .closeOnExec])
            }
            return try descriptor.closing {
                try lock(descriptor, folder)
                return try body()
            }
        } catch let error as FileError where error.errno == .noSuchFileOrDirectory {
            throw StorageError(.notFound, "\(folder) does not exist", cause: error)
        }
    }

    /// Others hold it for as long as a small file takes; one that hangs must not make us hang.
    private static func lock(_ descriptor: FileDescriptor, _ folder: FilePath) throws {
        for _ in 0..<lockAttempts {
            if flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 { return }
            switch errno {
            case EWOULDBLOCK: usleep(lockPause)
            case EINTR: continue
            // No locks on this file system: the conditional write itself still tells two of us apart.
            default: return
            }
        }
        throw StorageError(
            .unavailable,
            "\(folder) is locked by another process; HINT: see which one with lsof, it may hang in storage"
        )
    }

    /// 10 seconds.
    private static let lockAttempts = 1000
    private static let lockPause: UInt32 = 10_000
}
