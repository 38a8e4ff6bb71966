import Concurrency
import Host
import Storage
import SystemPackage

/// Runs `body` with an empty file storage below /var/tmp and its root, and removes it afterwards.
func withFileStorage<Result: Sendable>(
    _ body: (FileStorage, FilePath) async throws -> Result
) async throws -> Result {
    let folder = FilePath("/var/tmp/storage-tests-\(UInt64.random(in: 0 ... .max))")
    return try await BlockingThreads.with(count: 2) { threads in
        try await withCleanup {
            // The root itself is made by the first backup.
            try await body(FileStorage(root: folder.appending("root"), threads: threads), folder.appending("root"))
        } cleanup: {
            try FileTree.remove(folder)
        }
    }
}
