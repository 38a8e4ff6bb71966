import Glibc
package import SystemPackage

/// A place below a folder that is reached without following a link below that folder.
///
/// What lies above, and the folder itself, is the operator's, who may have made links. Below, another user may write:
/// mysqld's, while we are root. Each name there is looked up in the open folder before it, and a link is refused.
package struct ConfinedPath: Hashable, Sendable {
    /// The whole path, as messages name it.
    package let path: FilePath
    fileprivate let root: FilePath
    fileprivate let names: [String]

    /// Describes a place.
    /// - Parameters:
    ///   - root: the folder.
    ///   - below: the path from there on; nothing in it leads up.
    ///   - shown: how messages name the whole; default: the two joined.
    package init(root: FilePath, below: FilePath, shown: FilePath? = nil) {
        self.init(
            root: root,
            names: below.lexicallyNormalized().components.filter { $0.kind == .regular }.map(\.string),
            shown: shown
        )
    }

    /// Describes a place by the names on the way, none of which is empty, `.` or `..`.
    package init(root: FilePath, names: [String], shown: FilePath? = nil) {
        (self.root, self.names) = (root, names)
        path = shown ?? names.reduce(root) { $0.appending($1) }
    }

    /// The path of its first `count` names.
    fileprivate func prefix(_ count: Int) -> FilePath {
        (0..<names.count - count).reduce(path) { path, _ in path.removingLastComponent() }
    }
}

extension FileTree {
    private static let folderFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC

    /// Runs `body` with the open folder of the first `count` names.
    private static func withFolder<Result>(
        _ place: ConfinedPath,
        first count: Int,
        making owner: FileOwner?? = nil,
        _ body: (Int32) throws(FileError) -> Result
    ) throws(FileError) -> Result {
        var folder = retrying { Glibc.open(place.root.string, folderFlags) }
        guard folder >= 0 else { throw FileError("open folder", place.root, Errno(rawValue: errno)) }
        defer { close(folder) }
        for index in place.names.indices.prefix(count) {
            let next = try folderBelow(folder, place, index, making: owner)
            close(folder)
            folder = next
        }
        return try body(folder)
    }

    /// Opens the folder of a place's name in the open one before it; with an owner it is made when it is missing.
    private static func folderBelow(
        _ folder: Int32,
        _ place: ConfinedPath,
        _ index: Int,
        making owner: FileOwner??
    ) throws(FileError) -> Int32 {
        let name = place.names[index]
        // Of interest for errors only, and there is one for every file.
        var path: FilePath { place.prefix(index + 1) }
        let found = retrying { openat(folder, name, folderFlags | O_NOFOLLOW) }
        if found >= 0 { return found }
        guard errno == ENOENT, let owner else { throw refusal("open folder", folder, name, path) }
        guard mkdirat(folder, name, 0o770) == 0 || errno == EEXIST else {
            throw FileError("create folder", path, Errno(rawValue: errno))
        }
        let made = retrying { openat(folder, name, folderFlags | O_NOFOLLOW) }
        guard made >= 0 else { throw refusal("open folder", folder, name, path) }
        if let owner, fchown(made, owner.user, owner.group) != 0 {
            let error = FileError("chown", path, Errno(rawValue: errno))
            close(made)
            throw error
        }
        return made
    }

    /// The error of a call that did not follow a link, which the kernel tells in different ways.
    private static func refusal(_ operation: String, _ folder: Int32, _ name: String, _ path: FilePath) -> FileError {
        let code = errno
        var status = stat()
        let isLink =
            code == ENOTDIR && fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0
            && status.st_mode & S_IFMT == S_IFLNK
        return FileError(operation, path, isLink ? .tooManySymbolicLinkLevels : Errno(rawValue: code))
    }

    private static func retrying(_ call: () -> Int32) -> Int32 {
        var result = call()
        while result < 0, errno == EINTR { result = call() }
        return result
    }

    /// Runs `body` with the folder that the place is in, and its name there.
    private static func withParent<Result>(
        _ place: ConfinedPath,
        _ body: (Int32, String) throws(FileError) -> Result
    ) throws(FileError) -> Result {
        guard let name = place.names.last else { throw FileError("open", place.path, .isDirectory) }
        return try withFolder(place, first: place.names.count - 1) { folder throws(FileError) in try body(folder, name)
        }
    }

    // MARK: Files

    /// Opens a regular file, as ``open(_:_:options:permissions:)`` does; it is no link either, and has one name only when it
    /// is opened for writing.
    /// - Throws: ``FileError``.
    package static func open(
        _ place: ConfinedPath,
        _ mode: FileDescriptor.AccessMode,
        options: FileDescriptor.OpenOptions = [],
        permissions: FilePermissions? = nil
    ) throws(FileError) -> FileDescriptor {
        let operation = options.contains(.create) ? "create" : "open"
        let flags = mode.rawValue | options.rawValue | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
        return try withParent(place) { folder, name throws(FileError) in
            let opened = retrying { openat(folder, name, flags, mode_t(permissions?.rawValue ?? 0)) }
            guard opened >= 0 else { throw FileError(operation, place.path, Errno(rawValue: errno)) }
            let file = FileDescriptor(rawValue: opened)
            return try fileCall(operation, place.path) {
                try requireRegular(file)
                var status = stat()
                guard mode == .readOnly || fstat(opened, &status) != 0 || status.st_nlink <= 1 else {
                    try? file.finish()
                    throw Errno.tooManyLinks
                }
                return file
            }
        }
    }

    /// Creates a file (mode 0660), in the place of one that is there: what is written and given away was made by us.
    /// - Returns: the file, for reading and writing.
    /// - Throws: ``FileError``.
    package static func create(_ place: ConfinedPath, owner: FileOwner?) throws(FileError) -> FileDescriptor {
        do {
            return try createNew(place, .readWrite, owner: owner)
        } catch  where error.errno == .fileExists {
            try withParent(place) { folder, name throws(FileError) in
                guard unlinkat(folder, name, 0) == 0 || errno == ENOENT else {
                    throw FileError("create", place.path, Errno(rawValue: errno))
                }
            }
            return try createNew(place, .readWrite, owner: owner)
        }
    }

    /// Opens a file to write behind its end, and makes it where it is missing.
    /// - Throws: ``FileError``.
    package static func openAppending(_ place: ConfinedPath, owner: FileOwner?) throws(FileError) -> FileDescriptor {
        do {
            return try createNew(place, .writeOnly, options: .append, owner: owner)
        } catch  where error.errno == .fileExists {
            return try open(place, .writeOnly, options: .append)
        }
    }

    private static func createNew(
        _ place: ConfinedPath,
        _ mode: FileDescriptor.AccessMode,
        options: FileDescriptor.OpenOptions = [],
        owner: FileOwner?
    ) throws(FileError) -> FileDescriptor {
        let file = try open(
            place,
            mode,
            options: options.union([.create, .exclusiveCreate]),
            permissions: FilePermissions(rawValue: 0o660)
        )
        if let owner, fchown(file.rawValue, owner.user, owner.group) != 0 {
            let error = FileError("chown", place.path, Errno(rawValue: errno))
            try? file.finish()
            throw error
        }
        return file
    }

    /// Writes a small file in one go (mode 0660), in the place of an old one.
    /// - Throws: ``FileError``.
    package static func write(_ bytes: [UInt8], to place: ConfinedPath, owner: FileOwner?) throws(FileError) {
        let file = try create(place, owner: owner)
        try fileCall("write", place.path) {
            try file.closing { _ = try file.writeAll(bytes) }
        }
    }

    // MARK: Folders

    /// Creates a folder (mode 0770) with what is missing above it, as far as that is below the root; it may exist already.
    /// - Throws: ``FileError``.
    package static func createDirectory(_ place: ConfinedPath, owner: FileOwner?) throws(FileError) {
        try withFolder(place, first: place.names.count, making: .some(owner)) { _ in }
    }

    /// Creates a symbolic link.
    /// - Throws: ``FileError``.
    package static func link(_ place: ConfinedPath, to target: FilePath) throws(FileError) {
        try withParent(place) { folder, name throws(FileError) in
            guard symlinkat(target.string, folder, name) == 0 else {
                throw FileError("link", place.path, Errno(rawValue: errno))
            }
        }
    }

    /// Makes the entries of a folder durable, as far as its file system can.
    /// - Throws: ``FileError``.
    package static func sync(directory place: ConfinedPath) throws(FileError) {
        try withFolder(place, first: place.names.count) { folder throws(FileError) in
            try fileCall("fsync folder", place.path) { try FileDescriptor(rawValue: folder).synchronize() }
        }
    }

    /// Removes everything in a folder but what has one of the names to keep; links are removed, not followed.
    ///
    /// Absent is fine.
    /// - Throws: ``FileError``.
    package static func removeContents(of place: ConfinedPath, keeping names: Set<String>) throws(FileError) {
        do {
            try withFolder(place, first: place.names.count) { folder throws(FileError) in
                let copy = retrying { openat(folder, ".", folderFlags) }
                guard copy >= 0, let stream = fdopendir(copy) else {
                    let error = FileError("open folder", place.path, Errno(rawValue: errno))
                    if copy >= 0 { close(copy) }
                    throw error
                }
                defer { closedir(stream) }
                for name in try entries(of: stream, place.path) {
                    let text = String(decoding: name, as: UTF8.self)
                    if names.contains(text) { continue }
                    try remove(name, in: folder, place.path.appending(text))
                }
            }
        } catch  where error.errno == .noSuchFileOrDirectory {
            return
        }
    }
}
