import Glibc
package import SystemPackage

/// Files as a whole.
extension FileTree {
    /// Opens a regular file, and nothing else.
    ///
    /// Others may write where it stands: a pipe or device that they put there makes nobody wait, and is refused.
    /// - Parameters:
    ///   - path: of the file.
    ///   - mode: reading or writing.
    ///   - options: besides that it is closed in children.
    ///   - permissions: of a new file.
    /// - Returns: the open file.
    /// - Throws: ``FileError``, with `isDirectory` for a folder, `noSuchAddressOrDevice` for what else is no regular file.
    package static func open(
        _ path: FilePath,
        _ mode: FileDescriptor.AccessMode,
        options: FileDescriptor.OpenOptions = [],
        permissions: FilePermissions? = nil
    ) throws(FileError) -> FileDescriptor {
        let options = options.union([.closeOnExec, .nonBlocking, .init(rawValue: O_NOCTTY)])
        let operation = options.contains(.create) ? "create" : "open"
        return try fileCall(operation, path) {
            let file: FileDescriptor
            do {
                file = try FileDescriptor.open(path, mode, options: options, permissions: permissions)
            } catch Errno.wouldBlock {
                // A file server has lent it to somebody, who is asked to give it back.
                guard try status(path)?.kind == .regular else { throw Errno.wouldBlock }
                file = try FileDescriptor.open(
                    path,
                    mode,
                    options: options.subtracting(.nonBlocking),
                    permissions: permissions
                )
            }
            try requireRegular(file)
            return file
        }
    }

    /// Closes what is no regular file.
    static func requireRegular(_ file: FileDescriptor) throws {
        var buffer = stat()
        guard fstat(file.rawValue, &buffer) == 0 else {
            let code = Errno(rawValue: errno)
            try? file.finish()
            throw code
        }
        guard buffer.st_mode & S_IFMT == S_IFREG else {
            try? file.finish()
            throw buffer.st_mode & S_IFMT == S_IFDIR ? Errno.isDirectory : Errno.noSuchAddressOrDevice
        }
    }

    /// Writes a small file in one go (mode 0660), replacing an old one.
    package static func write(_ bytes: [UInt8], to path: FilePath, durable: Bool = false) throws(FileError) {
        try fileCall("write", path) {
            let descriptor = try open(
                path,
                .writeOnly,
                options: [.create, .truncate],
                permissions: FilePermissions(rawValue: 0o660)
            )
            try descriptor.closing {
                try descriptor.writeAll(bytes)
                if durable { try sync(descriptor, path) }
            }
        }
    }

    /// Reads a whole file of at most `limit` bytes; `nil` when it does not exist.
    /// - Parameters:
    ///   - path: of the file.
    ///   - limit: more bytes are an error.
    ///   - mayBePipe: an operator named it, who may as well have meant what a command writes.
    /// - Returns: the bytes.
    /// - Throws: ``FileError``.
    package static func read(_ path: FilePath, limit: Int, mayBePipe: Bool = false) throws(FileError) -> [UInt8]? {
        do {
            return try fileCall("read", path) {
                let descriptor =
                    mayBePipe
                    ? try FileDescriptor.open(path, .readOnly, options: .closeOnExec) : try open(path, .readOnly)
                return try descriptor.closing {
                    var bytes: [UInt8] = []
                    while bytes.count <= limit {
                        let part = try [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
                            count = try descriptor.read(into: UnsafeMutableRawBufferPointer(buffer))
                        }
                        if part.isEmpty { return bytes }
                        bytes += part
                    }
                    throw Errno.fileTooLarge
                }
            }
        } catch {
            if error.errno == .noSuchFileOrDirectory { return nil }
            throw error
        }
    }
}
