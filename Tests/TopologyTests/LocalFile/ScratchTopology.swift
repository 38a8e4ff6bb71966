import Glibc
import SystemPackage
import Testing
import Topology

extension RecordTree {
    /// Runs `body` with these records as files and the folder of the global ones, and removes all afterwards.
    func withFiles(_ body: (LocalFileTopology, FilePath) async throws -> Void) async throws {
        let folder = FilePath("/var/tmp/topology-tests-\(UInt64.random(in: 0 ... .max))")
        let global = folder.appending("global")
        try make(global)
        defer { removeTree(folder) }
        for (cell, texts) in files {
            for (path, text) in texts {
                let file = folder.appending(cell.description).pushing(FilePath(path))
                try make(file.removingLastComponent())
                try write(text, to: file)
            }
        }
        try await body(LocalFileTopology(root: global), global)
    }

    private func make(_ folder: FilePath) throws {
        var path = FilePath("/")
        for component in folder.components {
            path.append(component)
            try #require(mkdir(path.string, 0o700) == 0 || errno == EEXIST, "cannot make \(path)")
        }
    }

    private func write(_ text: String, to path: FilePath) throws {
        let file = try FileDescriptor.open(
            path,
            .writeOnly,
            options: [.create, .truncate],
            permissions: .ownerReadWrite
        )
        try file.closeAfter { _ = try file.writeAll(text.utf8) }
    }

    private func removeTree(_ path: FilePath) {
        if unlink(path.string) == 0 { return }
        if let folder = opendir(path.string) {
            while let entry = readdir(folder) {
                let name = withUnsafeBytes(of: entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name != ".", name != ".." { removeTree(path.appending(name)) }
            }
            closedir(folder)
        }
        rmdir(path.string)
    }
}
