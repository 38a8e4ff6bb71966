import Catalog
import Compression
import Concurrency
import Glibc
import Host
import Logging
import MySQLControl
import NIOCore
import Storage
import SystemPackage
import TestKit
import Testing
import Vocabulary

@testable import Engines

/// What mysqld's user can put below a tablet's folder while root restores there, makes folders, gives them away or removes.
@Suite(
    "links planted while root restores (AsRoot)",
    .enabled(if: geteuid() == 0, "needs root"),
    .timeLimit(.minutes(5))
)
struct PlantedLinksAsRootTests {
    private static let owner = FileOwner(user: 64321, group: 64321)
    private static let file = "shop/customer.ibd"

    /// A data root of mysqld's user's, and what is root's beside it.
    private func withRoots(
        _ body: @escaping @Sendable (TabletDirectory, _ outside: FilePath) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let (dataRoot, outside) = (folder.appending("v"), folder.appending("outside"))
            try FileTree.createDirectory(dataRoot, parents: false, owner: Self.owner)
            try FileTree.createDirectory(outside.appending("shop"), parents: true)
            try FileTree.write(Array("precious".utf8), to: outside.appending("secret"))
            try FileTree.write(Array("precious".utf8), to: outside.pushing(FilePath(Self.file)))
            let before = try contents(outside)
            try await body(TabletDirectory(dataRoot: dataRoot, uid: 1), outside)
            #expect(try contents(outside) == before)
        }
    }

    /// Everything that could have been touched: names, owners, sizes and contents.
    private func contents(_ folder: FilePath) throws -> [String] {
        try (FileTree.list(folder) ?? []).flatMap { name -> [String] in
            let path = folder.appending(name)
            guard let status = try FileTree.status(path, followLinks: false) else { return [] }
            let line = "\(path) \(status.kind) \(status.owner) \(status.mode)"
            if status.kind == .directory { return [line] + (try contents(path)) }
            return [line + " \(try FileTree.read(path, limit: 1000) ?? [])"]
        }
    }

    /// Restores a backup of one file, plain.
    private func restore(to directory: TabletDirectory) async throws {
        let shard = try ShardPath(keyspace: "commerce", shard: "0")
        let name = "2026-11-21.120000.zone1-0000000101"
        let storage = InMemoryStorage()
        let writer = try await storage.startBackup(name, of: shard)
        let stored = try await writer.store(.file(0), sizeHint: nil) { try await $0.write(ByteBuffer(string: "rows")) }
        var manifest = Manifest()
        var builtin = Manifest.Builtin()
        builtin.skipCompress = true
        builtin.files = [FileEntry(base: .data, name: Self.file, hash: stored.crc32)]
        manifest.builtin = builtin
        try await writer.commit(manifest: ByteBuffer(bytes: manifest.encoded()))
        let (reader, restored) = (try storage.backup(name, of: shard), manifest)
        try await BlockingThreads.with(count: 2) { threads in
            let engine = BuiltinRestore(
                dataPlane: DataPlane.small(threads, codec: RecordedCodec(.identity), concurrency: 2),
                owner: Self.owner,
                durable: true,
                decompressors: StoredFormat.ExternalDecompressors(),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
            try await engine.restore(restored, from: reader, to: directory, meter: TransferMeter())
        }
    }

    @Test("a link in the place of a folder ends the restore, which names it", arguments: ["data", "data/shop", "."])
    func folder(planted: String) async throws {
        try await withRoots { directory, outside in
            try directory.create(owner: Self.owner)
            let place = directory.path.pushing(FilePath(planted)).lexicallyNormalized()
            try FileTree.remove(place)
            try FileTree.link(place, to: outside)
            let error = await #expect(throws: (any Error).self) { try await restore(to: directory) }
            let text = "\(error.map { "\($0)" } ?? "")"
            // `$VTDATAROOT/data` would be the only folder that such a link may stand for.
            #expect(text.contains("a link stands there") || text.contains("No such file"), "\(text)")
            if planted != "data/shop" {
                #expect(throws: FileError.self) { try directory.create(owner: Self.owner) }
            }
            if planted == "." {
                #expect(throws: FileError.self) { try directory.prepareForRestore(owner: Self.owner) }
                #expect(throws: FileError.self) { try directory.finishRestore() }
            }
        }
    }

    @Test(
        "a link, or another name of root's file, in the place of a file is replaced and not written to or given away",
        arguments: [false, true]
    )
    func file(isHard: Bool) async throws {
        try await withRoots { directory, outside in
            try directory.create(owner: Self.owner)
            let (target, secret) = (directory.data.pushing(FilePath(Self.file)), outside.appending("secret").string)
            try FileTree.createDirectory(directory.place(target.removingLastComponent()), owner: Self.owner)
            #expect((isHard ? link(secret, target.string) : symlink(secret, target.string)) == 0)
            try await restore(to: directory)
            #expect(try FileTree.read(target, limit: 100) == Array("rows".utf8))
            #expect(try FileTree.status(target, followLinks: false)?.owner == Self.owner)
        }
    }

    @Test("what is removed is removed here: links go, and what they lead to stays")
    func removal() async throws {
        try await withRoots { directory, outside in
            let claim = try TabletClaim.make(directory, owner: Self.owner)
            try directory.create(owner: Self.owner)
            try FileTree.link(directory.data.appending("shop"), to: outside)
            try FileTree.link(directory.path.appending("elsewhere"), to: outside)
            try claim.empty()
            #expect(try FileTree.list(directory.path) == ["vtbackup.lock"])
            // The folder itself: nothing is emptied behind it.
            let aside = directory.path.removingLastComponent().appending("aside")
            try FileTree.rename(directory.path, to: aside)
            try FileTree.link(directory.path, to: outside)
            #expect(throws: FileError.self) { try claim.empty() }
            claim.leave()
            #expect(try TabletClaim.abandoned(in: directory.path.removingLastComponent()).isEmpty)
        }
    }

    @Test("links of the operator's above, and ours to disks of their own, are followed as before")
    func operators() async throws {
        try await withRoots { directory, _ in
            let root = directory.path.removingLastComponent()
            let disk = root.removingLastComponent().appending("disk")
            try FileTree.createDirectory(disk, parents: false, owner: Self.owner)
            try FileTree.link(root.appending("data"), to: disk)
            try directory.prepareForRestore(owner: Self.owner)
            try await restore(to: directory)
            try directory.finishRestore()
            let file = disk.appending("vt_0000000001").pushing(FilePath(Self.file))
            #expect(try FileTree.read(file, limit: 100) == Array("rows".utf8))
            #expect(try FileTree.status(file)?.owner == Self.owner)
            #expect(try FileTree.status(file.removingLastComponent())?.owner == Self.owner)
            try directory.remove()
            #expect(try FileTree.list(disk) == [])
        }
    }
}
