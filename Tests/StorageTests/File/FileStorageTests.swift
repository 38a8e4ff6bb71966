import Catalog
import Concurrency
import Glibc
import Host
import NIOCore
import Storage
import SystemPackage
import TestKit
import Testing
import Vocabulary

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

    @Test(
        "what an interrupted removal left is no backup, and goes with the next backup or removal",
        arguments: ["root/commerce/-80/.vtbackup-removed-17", "root/.vtbackup/commerce/-80/removed-17"]
    )
    func interruptedRemoval(place: String) async throws {
        try await withFileStorage { storage, root in
            let left = root.removingLastComponent().pushing(FilePath(place))
            for finish in [
                { _ = try await storage.startBackup("b", of: shard) },
                { try await storage.removeBackup("b", of: shard) },
            ] as [() async throws -> Void] {
                try FileTree.createDirectory(left, parents: true)
                try FileTree.write([1], to: left.appending("0"))
                #expect(try await storage.listBackups(of: shard).allSatisfy { $0 == "b" })
                try await finish()
                #expect(try FileTree.status(left) == nil)
                #expect(try FileTree.status(root.appending(".vtbackup")) == nil)
            }
        }
    }

    @Test(
        "while a backup is being removed its shard holds nothing that is no backup's: Vitess's passes would end there"
    )
    func removalOutsideTheShard() async throws {
        try await withFileStorage { storage, root in
            let writer = try await storage.startBackup("b", of: shard)
            try await writer.commit(manifest: ByteBuffer(string: "{}"))
            let folder = root.appending("commerce").appending("-80")
            await SystemFaults.with(below: root.appending(".vtbackup")) { faults in
                // The removal is cut off after its first step.
                faults.add(.unlink, nth: 0, .error(.ioError))
                await #expect(throws: FileError.self) { try await storage.removeBackup("b", of: shard) }
            }
            #expect(try FileTree.list(folder) == [])
            let aside = root.appending(".vtbackup").appending("commerce").appending("-80")
            #expect(try FileTree.list(aside)?.count == 1)
            // Gone as a whole: nobody lists there, and the next backup clears it away.
            _ = try await storage.startBackup("c", of: shard)
            #expect(try FileTree.list(root) == ["commerce"])
        }
    }

    @Test("where nothing may be made at the root, or a folder cannot be renamed, a backup is removed in its place")
    func removalInPlace() async throws {
        for (call, failure) in [
            (SystemFaults.Call.mkdir, Errno.permissionDenied), (.rename, .tooManyOpenFiles), (.rename, .improperLink),
        ] {
            try await withFileStorage { storage, root in
                let writer = try await storage.startBackup("b", of: shard)
                _ = try await writer.put(.file(0), sizeHint: nil) { try await $0.write(ByteBuffer(string: "zero")) }
                try await writer.commit(manifest: ByteBuffer(string: "{}"))
                try await SystemFaults.with(below: root) { faults in
                    faults.add(call, nth: 0, .error(failure))
                    try await storage.removeBackup("b", of: shard)
                    #expect(faults.hits > 0)
                }
                #expect(try FileTree.list(root.appending("commerce").appending("-80")) == [])
            }
        }
    }

    @Test("what is no regular file makes nobody wait, and is no object", .timeLimit(.minutes(5)))
    func pipes() async throws {
        try await withFileStorage { storage, root in
            let writer = try await storage.startBackup("b", of: shard)
            let folder = root.appending("commerce").appending("-80").appending("b")
            for name in ["MANIFEST", "0", "VERIFIED", ".vtbackup-lease", "../.vtbackup-lease"] {
                #expect(mkfifo(folder.pushing(FilePath(name)).string, 0o660) == 0)
            }
            let reader = try storage.backup("b", of: shard)
            guard case .incomplete(let reason) = try await reader.manifest() else {
                Issue.record("a pipe is no MANIFEST")
                return
            }
            #expect(reason.contains("it is no regular file"))
            for read in [
                { _ = try await reader.read(.file(0), limit: 10) }, { _ = try await reader.size(of: .file(0)) },
            ] as [() async throws -> Void] {
                let error = await #expect(throws: StorageError.self) { try await read() }
                #expect(error?.code == .notFound)
            }
            for place in [
                Note.Place(.verification, of: shard, backup: "b"), Note.Place(.lease, of: shard, backup: "b"),
                Note.Place(.lease, of: shard),
            ] {
                let error = await #expect(throws: FileError.self) { _ = try await storage.note(at: place) }
                #expect(error?.errno == .noSuchAddressOrDevice)
            }
            // What we write takes their place, and is not written to them.
            _ = try await writer.put(.file(0), sizeHint: nil) { try await $0.write(ByteBuffer(string: "zero")) }
            #expect(mkfifo(folder.appending(".MANIFEST.part").string, 0o660) == 0)
            try await writer.commit(manifest: ByteBuffer(bytes: Manifest().encoded()))
            #expect(try await reader.read(.file(0), limit: 10) == Array("zero".utf8))
            guard case .complete = try await reader.manifest() else {
                Issue.record("the MANIFEST is there")
                return
            }
            try await storage.removeBackup("b", of: shard)
            #expect(try await storage.listBackups(of: shard).isEmpty)
        }
    }

    @Test("a link in the place of an object is not written through")
    func plantedLink() async throws {
        try await withFileStorage { storage, root in
            let writer = try await storage.startBackup("b", of: shard)
            let other = root.removingLastComponent().appending("other")
            try FileTree.write(Array("mine".utf8), to: other)
            let folder = root.appending("commerce").appending("-80").appending("b")
            for name in ["0", ".MANIFEST.part", "MANIFEST"] { try FileTree.link(folder.appending(name), to: other) }
            _ = try await writer.put(.file(0), sizeHint: nil) { try await $0.write(ByteBuffer(string: "zero")) }
            try await writer.commit(manifest: ByteBuffer(string: "{}"))
            #expect(try FileTree.read(other, limit: 100) == Array("mine".utf8))
            #expect(try FileTree.read(folder.appending("0"), limit: 100) == Array("zero".utf8))
        }
    }

    @Test(
        "what root stores belongs to whom the folder above belongs to",
        .enabled(if: geteuid() == 0, "only root can give files away")
    )
    func owner() async throws {
        try await withFileStorage { _, root in
            try FileTree.createDirectory(root, parents: true, owner: FileOwner(user: 4711, group: 4712))
            try await BlockingThreads.with(count: 2) { threads in
                let storage = FileStorage(root: root, threads: threads, inheritsOwner: true)
                let writer = try await storage.startBackup("b", of: shard)
                _ = try await writer.put(.file(0), sizeHint: nil) { try await $0.write(ByteBuffer(string: "zero")) }
                for place in [
                    Note.Place(.lease, of: shard), Note.Place(.lease, of: shard, backup: "b"),
                    Note.Place(.verification, of: shard, backup: "b"),
                ] { _ = try await storage.writeNote([1], at: place, expecting: .nothing) }
                _ = try await storage.writeNote([2], at: Note.Place(.lease, of: shard), expecting: .anything)
                try await writer.commit(manifest: ByteBuffer(string: "{}"))
                let folder = root.appending("commerce").appending("-80")
                for name in ["..", ".", ".vtbackup-lease", "b", "b/0", "b/MANIFEST", "b/VERIFIED", "b/.vtbackup-lease"]
                {
                    let owner = try FileTree.status(folder.pushing(FilePath(name)))?.owner
                    #expect(owner == FileOwner(user: 4711, group: 4712), "\(name)")
                }
                // Another folder above counts for what is made in it.
                try FileTree.setOwner(folder, FileOwner(user: 4811, group: 4712))
                _ = try await storage.startBackup("c", of: shard)
                #expect(try FileTree.status(folder.appending("c"))?.owner.user == 4811)
                // Who may give nothing away keeps it, and goes on.
                try await SystemFaults.with(below: root) { faults in
                    faults.add(.own, nth: 0, .error(.notPermitted))
                    let writer = try await storage.startBackup("d", of: shard)
                    _ = try await writer.put(.file(0), sizeHint: nil) { try await $0.write(ByteBuffer(string: "0")) }
                    #expect(faults.hits > 0)
                }
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
