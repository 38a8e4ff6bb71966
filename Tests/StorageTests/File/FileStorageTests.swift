import Catalog
import Glibc
import NIOCore
import Storage
import Streams
import SystemPackage
import Testing

@Suite("File storage", .timeLimit(.minutes(5)))
struct FileStorageTests {
    private let shard: ShardPath

    init() throws {
        shard = try ShardPath("commerce/-80")
    }

    @Test("lays out <root>/<keyspace>/<shard>/<name>/<object>, folders 0770 and files 0660 less the umask")
    func layout() async throws {
        try await withFileStorage { storage, root in
            let writer = try await storage.startBackup("b", of: shard)
            _ = try await writer.put(.file(0), sizeHint: nil) { try await $0.write(ByteBuffer(string: "zero")) }
            try await writer.commit(manifest: ByteBuffer(string: "{}"))
            let folder = root.appending("commerce").appending("-80").appending("b")
            #expect(try FileTree.list(folder) == ["0", "MANIFEST"])
            #expect(try FileTree.read(folder.appending("0"), limit: 100) == Array("zero".utf8))
            #expect(try FileTree.read(folder.appending("MANIFEST"), limit: 100) == Array("{}".utf8))
            let mask = UInt32(umask(0))
            umask(mode_t(mask))
            for each in [root, root.appending("commerce"), folder] {
                #expect(try FileTree.status(each)?.mode == 0o770 & ~mask)
            }
            for each in ["0", "MANIFEST"] {
                #expect(try FileTree.status(folder.appending(each))?.mode == 0o660 & ~mask)
            }
        }
    }

    @Test("lists folders only, as Vitess does")
    func listing() async throws {
        try await withFileStorage { storage, root in
            _ = try await storage.startBackup("real", of: shard)
            let folder = root.appending("commerce").appending("-80")
            try FileTree.write([], to: folder.appending("file"))
            try FileTree.link(folder.appending("link"), to: folder.appending("real"))
            try FileTree.createDirectory(folder.appending("another"), parents: false)
            #expect(try await storage.listBackups(of: shard) == ["another", "real"])
        }
    }

    @Test("whatever stands at a backup's name is in its way, and is removed as itself")
    func foreignEntries() async throws {
        try await withFileStorage { storage, root in
            let kept = try await storage.startBackup("kept", of: shard)
            try await kept.commit(manifest: ByteBuffer(string: "{}"))
            let folder = root.appending("commerce").appending("-80")
            try FileTree.write([], to: folder.appending("file"))
            try FileTree.link(folder.appending("link"), to: folder.appending("kept"))
            for name in ["file", "link"] {
                let error = await #expect(throws: StorageError.self) {
                    _ = try await storage.startBackup(name, of: shard)
                }
                #expect(error?.code == .alreadyExists)
                try await storage.removeBackup(name, of: shard)
            }
            #expect(try FileTree.list(folder) == ["kept"])
            #expect(try FileTree.list(folder.appending("kept")) == ["MANIFEST"])
        }
    }

    @Test("a root that cannot be made is an error that names it")
    func rootIsFile() async throws {
        try await withFileStorage { storage, root in
            try FileTree.createDirectory(root.removingLastComponent(), parents: true)
            try FileTree.write([], to: root)
            let error = await #expect(throws: FileError.self) { _ = try await storage.startBackup("b", of: shard) }
            #expect(error?.path.starts(with: root) == true)
        }
    }

    @Test("a writer that slept while its backup was removed cannot commit it any more")
    func sleepingWriter() async throws {
        try await withFileStorage { storage, root in
            let writer = try await storage.startBackup("b", of: shard)
            _ = try await writer.put(.file(0), sizeHint: nil) { try await $0.write(ByteBuffer(string: "zero")) }
            try await storage.removeBackup("b", of: shard)
            await #expect(throws: FileError.self) { try await writer.commit(manifest: ByteBuffer(string: "{}")) }
            let gone = Note.Place(.lease, of: shard, backup: "b")
            let error = await #expect(throws: StorageError.self) {
                _ = try await storage.writeNote([1], at: gone, expecting: .anything)
            }
            #expect(error?.code == .notFound)
            #expect(try FileTree.list(root.appending("commerce").appending("-80")) == [])
        }
    }

    @Test("what an interrupted removal left is no backup, and goes with the next backup or removal")
    func interruptedRemoval() async throws {
        try await withFileStorage { storage, root in
            let folder = root.appending("commerce").appending("-80")
            for finish in [
                { _ = try await storage.startBackup("b", of: shard) },
                { try await storage.removeBackup("b", of: shard) },
            ] as [() async throws -> Void] {
                let left = folder.appending(".vtbackup-removed-17")
                try FileTree.createDirectory(left, parents: true)
                try FileTree.write([1], to: left.appending("0"))
                #expect(try await storage.listBackups(of: shard).allSatisfy { $0 == "b" })
                try await finish()
                #expect(try FileTree.list(folder)?.contains(".vtbackup-removed-17") == false)
            }
        }
    }

    @Test("a folder that another process keeps locked does not hang us for ever")
    func lockedFolder() async throws {
        try await withFileStorage { storage, root in
            _ = try await storage.startBackup("b", of: shard)
            let folder = root.appending("commerce").appending("-80")
            let other = try FileDescriptor.open(folder, .readOnly, options: [.directory, .closeOnExec])
            #expect(flock(other.rawValue, LOCK_EX | LOCK_NB) == 0)
            let error = await #expect(throws: StorageError.self) {
                _ = try await storage.writeNote([1], at: Note.Place(.lease, of: shard), expecting: .nothing)
            }
            #expect(error?.code == .unavailable)
            try other.close()
            _ = try await storage.writeNote([1], at: Note.Place(.lease, of: shard), expecting: .nothing)
        }
    }

    @Test("an empty root is the current folder")
    func emptyRoot() async throws {
        try await BlockingThreads.with(count: 1) { threads in
            let listed = try await FileStorage(root: "", threads: threads)
                .listBackups(of: ShardPath(keyspace: "no-such-keyspace-here", shard: "0"))
            #expect(listed.isEmpty)
        }
    }

    @Test("unusual names stay one component", arguments: ["...", "..a", "a b", "-rf", "ä", "a\\b", "~", "*", "a\nb"])
    func unusualNames(name: String) async throws {
        try await withFileStorage { storage, root in
            _ = try await storage.startBackup(name, of: shard)
            #expect(try FileTree.list(root.appending("commerce").appending("-80")) == [name])
            #expect(try await storage.listBackups(of: shard) == [name])
            try await storage.removeBackup(name, of: shard)
            #expect(try await storage.listBackups(of: shard).isEmpty)
        }
    }

    @Test(
        "names that would leave the shard touch nothing outside",
        arguments: ["", ".", "..", "../other", "../../..", "/etc", "a/../..", "b/../../other", "other/", "\0", "a\0b"]
    )
    func pathSafety(name: String) async throws {
        try await withFileStorage { storage, root in
            let other = try await storage.startBackup("other", of: ShardPath("commerce/other"))
            try await other.commit(manifest: ByteBuffer(string: "{}"))
            _ = try await storage.startBackup("a", of: shard)
            let error = await #expect(throws: StorageError.self) { _ = try await storage.startBackup(name, of: shard) }
            #expect(error?.code == .invalidName)
            #expect(error?.message.hasPrefix("invalid joined path") == true)
            await #expect(throws: StorageError.self) { try await storage.removeBackup(name, of: shard) }
            #expect(throws: StorageError.self) { _ = try storage.backup(name, of: shard) }
            #expect(try FileTree.list(root.appending("commerce")) == ["-80", "other"])
            #expect(try FileTree.list(root.appending("commerce").appending("other").appending("other")) == ["MANIFEST"])
            #expect(try FileTree.list(root.removingLastComponent()) == ["root"])
        }
    }
}
