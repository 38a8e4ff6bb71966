import Catalog
import Glibc
import NIOCore
import Storage
import Streams
import SystemPackage
import Testing

@Suite("File storage", .timeLimit(.minutes(1)))
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
