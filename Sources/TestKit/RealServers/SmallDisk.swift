import Concurrency
import Glibc
import Host
import MySQLControl
import Subprocess
package import SystemPackage

/// Runs `body` with a file system of its own, in memory; needs root.
package func withSmallDisk<Result: Sendable>(
    at path: FilePath,
    bytes: Int,
    _ body: @escaping @Sendable (FilePath) async throws -> Result
) async throws -> Result {
    try FileTree.createDirectory(path, parents: true)
    try await mounting("mount", ["-t", "tmpfs", "-o", "size=\(bytes),mode=755", "tmpfs", path.string])
    return try await withCleanup {
        if let owner = TestServers.user.fileOwner { chown(path.string, owner.user, owner.group) }
        return try await body(path)
    } cleanup: {
        try await mounting("umount", ["-l", path.string])
    }
}

private func mounting(_ command: String, _ arguments: [String]) async throws {
    let run = try await Subprocess.run(
        .name(command),
        arguments: Arguments(arguments),
        output: .discarded,
        error: .string(limit: 4096)
    )
    guard run.terminationStatus.isSuccess else {
        throw FileError("\(command): \(run.standardError)", FilePath(arguments.last ?? ""), .notPermitted)
    }
}
