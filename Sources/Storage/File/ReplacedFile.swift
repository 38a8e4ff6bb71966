import Glibc
import Host
import SystemPackage

/// A new file in the place of whatever stood there: others may write in that folder, and a link or pipe of theirs must not
/// be written to.
enum ReplacedFile {
    /// Creates it, mode 0660, for writing.
    /// - Throws: ``FileError``.
    static func open(_ path: FilePath) throws(FileError) -> FileDescriptor {
        do {
            return try create(path)
        } catch  where error.errno == .fileExists {
            guard unlink(path.string) == 0 || errno == ENOENT else { throw error }
            return try create(path)
        }
    }

    private static func create(_ path: FilePath) throws(FileError) -> FileDescriptor {
        try FileTree.open(
            path,
            .writeOnly,
            options: [.create, .exclusiveCreate],
            permissions: FilePermissions(rawValue: 0o660)
        )
    }

    /// Creates it with its content, durable.
    ///
    /// What fails leaves nothing under its name, if it can.
    /// - Throws: ``FileError``.
    static func create(_ path: FilePath, _ bytes: some Sequence<UInt8>, _ owner: FolderOwner) throws(FileError) {
        let file = try open(path)
        do {
            try fileCall("write", path) {
                try file.closing {
                    owner.apply(to: file, path)
                    try file.writeAll(bytes)
                    try FileTree.sync(file, path)
                }
            }
        } catch {
            try? FileTree.remove(path)
            throw error
        }
    }
}
