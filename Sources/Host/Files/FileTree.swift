import CLinux
import Glibc
package import SystemPackage

/// Who owns what we create; set when vtbackup runs as root and mysqld does not.
package struct FileOwner: Hashable, Sendable {
    package var user: UInt32
    package var group: UInt32

    /// Creates an owner from numeric ids.
    package init(user: UInt32, group: UInt32) {
        (self.user, self.group) = (user, group)
    }
}

/// Blocking operations on folders.
///
/// Call them on `BlockingThreads`; the small local ones at start may run in place.
package enum FileTree {
    /// What stands at a path.
    package enum Kind: Sendable { case regular, directory, symbolicLink, other }

    /// Size in bytes, kind and owner of what stands at a path.
    package struct Status: Sendable {
        package var kind: Kind
        package var size: Int64
        package var owner: FileOwner
        package var mode: UInt32
        /// Of the last change, in nanoseconds since 1970.
        package var modified: Int64
        package var inode: UInt64

        /// Differs whenever a file was replaced by another one.
        package var version: String { "\(inode)-\(modified)-\(size)" }
    }

    /// What stands at `path`, following symbolic links if `followLinks`; `nil` when nothing does.
    package static func status(_ path: FilePath, followLinks: Bool = true) throws(FileError) -> Status? {
        var buffer = stat()
        guard (followLinks ? stat(path.string, &buffer) : lstat(path.string, &buffer)) == 0 else {
            let code = Errno(rawValue: errno)
            if code == .noSuchFileOrDirectory || code == .notDirectory { return nil }
            throw FileError("stat", path, code)
        }
        let kind: Kind =
            switch buffer.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case S_IFLNK: .symbolicLink
            default: .other
            }
        return Status(
            kind: kind,
            size: Int64(buffer.st_size),
            owner: FileOwner(user: buffer.st_uid, group: buffer.st_gid),
            mode: buffer.st_mode & 0o7777,
            modified: Int64(buffer.st_mtim.tv_sec) * 1_000_000_000 + Int64(buffer.st_mtim.tv_nsec),
            inode: UInt64(buffer.st_ino)
        )
    }

    /// The path without symbolic links; as it is when nothing stands there.
    package static func resolved(_ path: FilePath) -> FilePath {
        guard let text = realpath(path.string, nil) else { return path.lexicallyNormalized() }
        defer { free(text) }
        return FilePath(String(cString: text))
    }

    /// Names in a folder, sorted by bytes, without `.` and `..`; `nil` when the folder does not exist.
    /// - Parameters:
    ///   - path: of the folder.
    ///   - repairs: a name that is not UTF-8 is given with replacement characters, for lists that are only looked at.
    /// - Returns: the names.
    /// - Throws: ``FileError``, else also for a name that is not UTF-8: it could not be written down faithfully.
    package static func list(_ path: FilePath, repairing repairs: Bool = false) throws(FileError) -> [String]? {
        var opened = opendir(path.string)
        while opened == nil, errno == EINTR { opened = opendir(path.string) }
        guard let directory = opened else {
            let code = Errno(rawValue: errno)
            if code == .noSuchFileOrDirectory { return nil }
            throw FileError("open folder", path, code)
        }
        defer { closedir(directory) }
        return try entries(of: directory, path).map { name throws(FileError) in
            guard let text = String(validating: name, as: UTF8.self) else {
                if repairs { return String(decoding: name, as: UTF8.self) }
                throw FileError("read a name that is not UTF-8 in folder", path, .illegalByteSequence)
            }
            return text
        }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// The names in an open folder, as bytes that end with none, in no order, without `.` and `..`.
    static func entries(of folder: OpaquePointer, _ path: FilePath) throws(FileError) -> [[UInt8]] {
        var names: [[UInt8]] = []
        while true {
            errno = 0
            guard let entry = readdir(folder) else {
                if errno != 0 { throw FileError("read folder", path, Errno(rawValue: errno)) }
                return names
            }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name != [0x2e], name != [0x2e, 0x2e] { names.append(name) }
        }
    }

    /// Creates a folder (mode 0770); with `parents` also what is missing above it, and it may exist already.
    package static func createDirectory(_ path: FilePath, parents: Bool, owner: FileOwner? = nil) throws(FileError) {
        if mkdir(path.string, 0o770) == 0 {
            try setOwner(path, owner)
            return
        }
        let code = Errno(rawValue: errno)
        switch code {
        case .fileExists where parents:
            guard try status(path)?.kind == .directory else { throw FileError("create folder", path, code) }
        case .noSuchFileOrDirectory where parents && !path.removingLastComponent().isEmpty:
            try createDirectory(path.removingLastComponent(), parents: true, owner: owner)
            try createDirectory(path, parents: true, owner: owner)
        default: throw FileError("create folder", path, code)
        }
    }

    /// Gives `path` (itself, if it is a link) to `owner`.
    package static func setOwner(_ path: FilePath, _ owner: FileOwner?) throws(FileError) {
        guard let owner else { return }
        guard lchown(path.string, owner.user, owner.group) == 0 else {
            throw FileError("chown", path, Errno(rawValue: errno))
        }
    }

    /// Renames within one file system, replacing what stands at `target`.
    package static func rename(_ source: FilePath, to target: FilePath) throws(FileError) {
        guard Glibc.rename(source.string, target.string) == 0 else {
            throw FileError("rename", source, Errno(rawValue: errno))
        }
    }

    /// Renames within one file system, to where nothing may stand.
    /// - Throws: ``FileError`` with `fileExists`, or `directoryNotEmpty` for a folder, when something does.
    package static func place(_ source: FilePath, at target: FilePath) throws(FileError) {
        if renameat2(AT_FDCWD, source.string, AT_FDCWD, target.string, UInt32(CLINUX_RENAME_NOREPLACE)) == 0 { return }
        let code = Errno(rawValue: errno)
        // Not every file system can: there somebody else may come between the two steps.
        guard [.invalidArgument, .noFunction, .notSupported].contains(code) else {
            throw FileError("rename to", target, code)
        }
        guard try status(target, followLinks: false) == nil else { throw FileError("rename to", target, .fileExists) }
        try rename(source, to: target)
    }

    /// Creates a symbolic link at `path`.
    package static func link(_ path: FilePath, to target: FilePath) throws(FileError) {
        guard symlink(target.string, path.string) == 0 else { throw FileError("link", path, Errno(rawValue: errno)) }
    }

    /// Makes the entries of a folder durable, as far as its file system can.
    package static func sync(directory path: FilePath) throws(FileError) {
        let descriptor = try fileCall("open folder", path) {
            try FileDescriptor.open(path, .readOnly, options: [.directory, .closeOnExec])
        }
        defer { try? descriptor.finish() }
        try fileCall("fsync folder", path) { try descriptor.synchronize() }
    }

    /// Makes the contents of an open file durable, as far as its file system can.
    package static func sync(_ descriptor: FileDescriptor, _ path: FilePath) throws(FileError) {
        try fileCall("fsync", path) { try descriptor.synchronize() }
    }
}
