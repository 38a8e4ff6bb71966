import Host
import SystemPackage
import Vocabulary

/// Names the file system that was full, and what was to go there, in front of an error that comes from it.
/// - Parameters:
///   - needed: what was to be written, asked for when it is needed.
///   - body: may fail for want of space.
/// - Returns: the result of `body`.
/// - Throws: ``WorkflowError`` with code `space`; else the error of `body`.
func explainingFullDisk<Result>(
    _ needed: () -> String,
    _ body: () async throws -> Result
) async throws -> Result {
    do {
        return try await body()
    } catch {
        guard let full = fullDisk(behind: error), let space = try? FileSystemSpace(of: full.path) else { throw error }
        throw WorkflowError(.space, "\(space) is full, \(needed())", cause: error)
    }
}

/// Names a file system that is as good as full in front of an error of a server that writes to it: mysqld itself often says
/// less, or only in its log.
/// - Parameters:
///   - path: where the server writes.
///   - body: may fail because of that.
/// - Returns: the result of `body`.
/// - Throws: ``WorkflowError`` with code `space`; else the error of `body`.
func explainingFullDisk<Result>(at path: FilePath, _ body: () async throws -> Result) async throws -> Result {
    do {
        return try await body()
    } catch {
        guard !(error is CancellationError), ![.space, .refused, .lease].contains((error as? WorkflowError)?.code),
            let space = nearlyFull(at: path)
        else { throw error }
        throw WorkflowError(
            .space,
            "\(space) has no room for mysqld's data, relay logs and temporary files; HINT: a pass needs as much as a tablet",
            cause: error
        )
    }
}

/// The file system, when a server can hardly write there.
func nearlyFull(at path: FilePath) -> FileSystemSpace? {
    guard let space = try? FileSystemSpace(of: path) else { return nil }
    return space.available < min(8 << 20, space.total / 20) ? space : nil
}

private func fullDisk(behind error: any Error) -> FileError? {
    for case let file as FileError in causes(of: error)
    where file.errno == .noSpace || file.errno == .diskQuotaExceeded {
        return file
    }
    return nil
}
