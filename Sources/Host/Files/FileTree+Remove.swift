import Glibc
package import SystemPackage

extension FileTree {
    /// Removes whatever stands at `path`, with everything below it; links are removed, not followed.
    ///
    /// Absent is fine. Below `path` everything is named by its open folder: whoever may write there cannot lead us, who may
    /// be root, to other folders by putting a link in the place of one while we are at work.
    /// - Throws: ``FileError`` for what cannot be removed; what was removed by then is gone.
    package static func remove(_ path: FilePath) throws(FileError) {
        try remove(Array(path.string.utf8), in: AT_FDCWD, path)
    }

    /// `bytes` are those of the name, which need not be text.
    static func remove(_ bytes: [UInt8], in parent: Int32, _ path: FilePath) throws(FileError) {
        let name = bytes.map { CChar(bitPattern: $0) } + [0]
        if unlinkat(parent, name, 0) == 0 { return }
        switch errno {
        case ENOENT, ENOTDIR: return
        case EISDIR: break
        default: throw FileError("remove", path, Errno(rawValue: errno))
        }
        let folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard folder >= 0, let stream = fdopendir(folder) else {
            if errno == ENOENT { return }
            let error = FileError("open folder", path, Errno(rawValue: errno))
            if folder >= 0 { close(folder) }
            throw error
        }
        defer { closedir(stream) }
        for child in try entries(of: stream, path) {
            try remove(child, in: folder, path.appending(String(decoding: child, as: UTF8.self)))
        }
        guard unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT else {
            throw FileError("remove folder", path, Errno(rawValue: errno))
        }
    }
}
