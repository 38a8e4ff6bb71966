import CLinux
import Glibc
import Host
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
    static func write(
        _ bytes: [UInt8],
        to path: FilePath,
        expecting: Note.Expectation,
        owner: FolderOwner
    ) throws -> String {
        try locked(path) {
            guard try isExpected(path, expecting) else { throw conflict(path) }
            let draft = FilePath(path.string + ".\(getpid()).\(UInt32.random(in: 0...UInt32.max))")
            do {
                try ReplacedFile.create(draft, bytes, owner)
                if expecting == .nothing {
                    try place(draft, at: path, bytes, owner)
                } else {
                    try replace(path, by: draft, bytes)
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

    /// Puts the draft where nothing may stand: who comes second must see it, also where folders cannot be locked.
    ///
    /// By link, which even NFS does once only; where there are no links by a rename that replaces nothing; else by creating
    /// the file there, which others may find empty for a moment.
    private static func place(_ draft: FilePath, at path: FilePath, _ bytes: [UInt8], _ owner: FolderOwner) throws {
        let isThere = link(draft.string, path.string) != 0 && errno == EEXIST
        // Not what the call says: the answer to a link that was made may have been lost on its way from a server.
        if hasSecondName(draft) { return try FileTree.remove(draft) }
        if isThere { throw conflict(path) }
        if renameat2(AT_FDCWD, draft.string, AT_FDCWD, path.string, UInt32(CLINUX_RENAME_NOREPLACE)) == 0 { return }
        if errno == EEXIST { throw conflict(path) }
        do {
            try createExclusively(path, bytes, owner)
        } catch {
            throw error.errno == .fileExists ? conflict(path) : error
        }
        try FileTree.remove(draft)
        // Whoever found it empty may have taken it for nobody's.
        guard try read(path)?.bytes == bytes else { throw conflict(path) }
    }

    private static func hasSecondName(_ draft: FilePath) -> Bool {
        var status = stat()
        return stat(draft.string, &status) == 0 && status.st_nlink > 1
    }

    private static func createExclusively(
        _ path: FilePath,
        _ bytes: [UInt8],
        _ owner: FolderOwner
    ) throws(FileError) {
        let file = try FileTree.open(
            path,
            .writeOnly,
            options: [.create, .exclusiveCreate],
            permissions: FilePermissions(rawValue: 0o660)
        )
        try write(bytes, to: file, path) { owner.apply(to: file, path) }
    }

    /// Puts the draft in the place of the note; where nothing can be renamed the note is written over.
    private static func replace(_ path: FilePath, by draft: FilePath, _ bytes: [UInt8]) throws(FileError) {
        do throws(FileError) {
            try FileTree.rename(draft, to: path)
        } catch {
            // Not truncated first: somebody may be reading.
            let mode = FilePermissions(rawValue: 0o660)
            guard
                let file = try? FileTree.open(path, .writeOnly, options: [.create, .noFollow], permissions: mode),
                (try? write(bytes, to: file, path) {}) != nil
            else { throw error }
            try FileTree.remove(draft)
        }
    }

    private static func write(
        _ bytes: [UInt8],
        to file: FileDescriptor,
        _ path: FilePath,
        _ prepare: () -> Void
    ) throws(FileError) {
        try fileCall("write", path) {
            try file.closing {
                prepare()
                try bytes.withUnsafeBytes { try file.writeFully($0, at: 0) }
                try file.resize(to: Int64(bytes.count))
                try FileTree.sync(file, path)
            }
        }
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
