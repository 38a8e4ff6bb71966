import Host
import SystemPackage

/// Runs `body` with a fresh folder on a real file system and removes it afterwards.
func withScratchFolder(_ body: (FilePath) throws -> Void) throws {
    let folder = FilePath("/var/tmp/streams-tests-\(UInt64.random(in: 0 ... .max))")
    try FileTree.createDirectory(folder, parents: false)
    defer { try? FileTree.remove(folder) }
    try body(folder)
}
