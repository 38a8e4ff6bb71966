package import Concurrency
import Glibc
import Host
package import SystemPackage

/// Real servers share two cores: more tests at once would only run into their time limits.
package let serverSlots = Slots(count: 4)

/// Runs `body` with a fresh folder that every user can enter, and removes it afterwards.
package func withTemporaryFolder<Result: Sendable>(_ body: (FilePath) async throws -> Result) async throws -> Result {
    let root = RealComponents.testRoot
    try FileTree.createDirectory(root, parents: true)
    chmod(root.string, 0o755)
    let name = String(UInt64.random(in: 0..<UInt64.max), radix: 36)
    // Short: a socket's path has at most 107 bytes.
    let folder = root.appending(String(name.prefix(8)))
    try FileTree.createDirectory(folder, parents: false)
    chmod(folder.string, 0o755)
    return try await withCleanup {
        try await body(folder)
    } cleanup: {
        try FileTree.remove(folder)
    }
}
