package import SystemPackage
import Vocabulary

/// A file system call failed.
///
/// Names the call, the path and the system's reason.
package struct FileError: Error, Sendable, CustomStringConvertible {
    package var operation: String
    package var path: FilePath
    package var errno: Errno

    /// Creates the error of one call.
    package init(_ operation: String, _ path: FilePath, _ errno: Errno) {
        (self.operation, self.path, self.errno) = (operation, path, errno)
    }

    package var description: String { "\(operation) \(PrintableText.line(path.string)): \(errno)\(hint)" }

    /// Whether this process or machine has run out of something, whatever the path is.
    package var isOfThisMachine: Bool {
        [.tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory].contains(errno)
    }

    private var hint: String {
        switch errno {
        case .tooManyOpenFiles: "; HINT: raise the limit of open files (ulimit -n), or give a smaller --concurrency"
        case .tooManyOpenFilesInSystem: "; HINT: the system has too many files open (fs.file-max)"
        case .noSpace, .diskQuotaExceeded: "; HINT: free space on that file system, then run again"
        case .permissionDenied, .notPermitted: "; HINT: check owner and mode of the path and of the folders above it"
        case .noSuchAddressOrDevice: "; HINT: it is no regular file but a pipe, a socket or a device: remove it"
        case .tooManySymbolicLinkLevels:
            "; HINT: a link stands there that nobody here has made and that is not followed: see who put it there, and remove it"
        case .tooManyLinks: "; HINT: the file has a second name, perhaps not ours: see who gave it that, and remove it"
        default: ""
        }
    }
}

/// Runs a call that returns an `Errno`-throwing result, adding path and operation to its error.
package func fileCall<Result>(
    _ operation: String,
    _ path: FilePath,
    _ body: () throws -> Result
) throws(FileError) -> Result {
    do {
        return try body()
    } catch let error as Errno {
        throw FileError(operation, path, error)
    } catch let error as FileError {
        throw error
    } catch {
        throw FileError(operation, path, .ioError)
    }
}
