import Catalog
import Glibc
import Host
import NIOCore
import Storage
import SystemPackage
import TestKit
import Testing
import Vocabulary

@Suite("Committing and removing in file storage", .timeLimit(.minutes(5)))
struct CommitTests {
    private let shard: ShardPath

    init() throws {
        shard = try ShardPath("ks/0")
    }

    /// A started backup with one object.
    private func withBackup(_ body: (any BackupWriter, any BackupReader, FilePath) async throws -> Void) async throws {
        try await withFileStorage { storage, root in
            let writer = try await storage.startBackup("b", of: shard)
            _ = try await writer.put(.file(0), sizeHint: nil) { try await $0.write(ByteBuffer(string: "zero")) }
            try await body(writer, storage.backup("b", of: shard), root.appending("ks").appending("0").appending("b"))
        }
    }

    private func isComplete(_ reader: any BackupReader) async -> Bool {
        if case .complete? = try? await reader.manifest() { true } else { false }
    }

    @Test("leaves no draft behind")
    func noDraft() async throws {
        try await withBackup { writer, reader, folder in
            try await writer.commit(manifest: ByteBuffer(bytes: Manifest().encoded()))
            #expect(await isComplete(reader))
            #expect(try FileTree.list(folder) == ["0", "MANIFEST"])
        }
    }

    @Test("a disk that is full while the draft is written leaves no MANIFEST, and the objects as they are")
    func draftFails() async throws {
        try await withBackup { (writer, reader, folder) async throws in
            let error = await SystemFaults.with(below: folder) { faults in
                faults.add(.write, nth: 1, .error(.noSpace))
                return await #expect(throws: FileError.self) {
                    try await writer.commit(manifest: ByteBuffer(bytes: Manifest().encoded()))
                }
            }
            #expect(error?.errno == .noSpace)
            #expect(try FileTree.status(folder.appending("MANIFEST"), followLinks: false) == nil)
            #expect(await !isComplete(reader))
            #expect(try await reader.read(.file(0), limit: 10) == Array("zero".utf8))
        }
    }

    @Test("a rename that fails leaves no MANIFEST to read")
    func renameFails() async throws {
        try await withBackup { writer, reader, folder in
            // Nothing can be renamed over a folder.
            try FileTree.createDirectory(folder.appending("MANIFEST"), parents: false)
            let error = await #expect(throws: FileError.self) {
                try await writer.commit(manifest: ByteBuffer(bytes: Manifest().encoded()))
            }
            #expect(error?.operation == "rename")
            #expect(await !isComplete(reader))
        }
    }

    @Test("what a crash between draft and rename leaves is incomplete, and can be committed again or aborted")
    func crashAfterDraft() async throws {
        try await withBackup { writer, reader, folder in
            try FileTree.write(Manifest().encoded(), to: folder.appending(".MANIFEST.part"), durable: true)
            #expect(try await reader.manifest() == .incomplete(Self.absent(folder)))
            try await writer.commit(manifest: ByteBuffer(bytes: Manifest().encoded()))
            #expect(await isComplete(reader))
            #expect(try FileTree.list(folder) == ["0", "MANIFEST"])
            try await writer.abort()
            #expect(try FileTree.status(folder) == nil)
        }
    }

    private static func absent(_ folder: FilePath) -> String {
        "no object MANIFEST in backup b: open \(folder.appending("MANIFEST")): No such file or directory"
    }

    @Test("a file whose name is no text does not keep a backup from being removed")
    func foreignName() async throws {
        try await withFileStorage { storage, root in
            let writer = try await storage.startBackup("b", of: shard)
            try await writer.commit(manifest: ByteBuffer(bytes: Manifest().encoded()))
            let shardFolder = root.appending("ks").appending("0")
            close(
                creat(
                    Array("\(shardFolder.appending("b"))/".utf8CString.dropLast()) + [CChar(bitPattern: 0xff), 0],
                    0o600
                )
            )
            try await storage.removeBackup("b", of: shard)
            #expect(try FileTree.list(shardFolder) == [])
        }
    }
}
