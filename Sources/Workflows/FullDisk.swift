import Streams
import SystemPackage

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

private func fullDisk(behind error: any Error) -> FileError? {
    for case let file as FileError in causes(of: error)
    where file.errno == .noSpace || file.errno == .diskQuotaExceeded {
        return file
    }
    return nil
}
