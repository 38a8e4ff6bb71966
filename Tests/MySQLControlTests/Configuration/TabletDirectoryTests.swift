import Host
import SystemPackage
import Testing

@testable import MySQLControl

@Suite("A tablet's folder")
struct TabletDirectoryTests {
    @Test("is vt_ and ten digits, more if the uid needs them")
    func names() {
        #expect(TabletDirectory(dataRoot: "/vt", uid: 100).path == "/vt/vt_0000000100")
        #expect(TabletDirectory(dataRoot: "/vt", uid: .max).path == "/vt/vt_4294967295")
        #expect(TabletDirectory(path: "/data/mine", uid: 3).path == "/data/mine")
        #expect(TabletDirectory(path: "/data/mine", uid: 3).binLog == "/data/mine/bin-logs/vt-0000000003-bin")
    }

    private static let tree = ["bin-logs", "data", "innodb", "relay-logs", "tmp"]

    @Test("is created with everything below it, again and again")
    func create() throws {
        try withScratchFolder { root in
            let directory = TabletDirectory(dataRoot: root, uid: 1)
            for _ in 0..<2 {
                try directory.create(owner: nil)
                #expect(try FileTree.list(directory.path) == Self.tree)
                #expect(try FileTree.list(directory.path.appending("innodb")) == ["data", "logs"])
            }
        }
    }

    @Test("has links to the disks that the operator made for its top folders")
    func links() throws {
        try withScratchFolder { root in
            try FileTree.createDirectory(root.appending("data"), parents: false)
            try FileTree.createDirectory(root.appending("innodb"), parents: false)
            let directory = TabletDirectory(dataRoot: root, uid: 1)
            try directory.create(owner: nil)
            try directory.create(owner: nil)
            for name in ["data", "innodb"] {
                #expect(try FileTree.status(directory.path.appending(name), followLinks: false)?.kind == .symbolicLink)
            }
            #expect(try FileTree.status(directory.path.appending("bin-logs"), followLinks: false)?.kind == .directory)
            #expect(try FileTree.list(root.appending("data")) == ["vt_0000000001"])
            #expect(try FileTree.list(root.appending("innodb").appending("vt_0000000001")) == ["data", "logs"])
        }
    }

    @Test("never takes over what an earlier tablet left on such a disk")
    func leftOver() throws {
        try withScratchFolder { root in
            let old = root.appending("data").appending("vt_0000000001")
            try FileTree.createDirectory(old, parents: true)
            try FileTree.write([1], to: old.appending("ibdata1"))
            let directory = TabletDirectory(dataRoot: root, uid: 1)
            #expect(#expect(throws: FileError.self) { try directory.create(owner: nil) }?.errno == .fileExists)
            #expect(try FileTree.list(old) == ["ibdata1"])
        }
    }

    @Test("given by its path, does not look at what stands beside it")
    func givenByPath() throws {
        try withScratchFolder { root in
            try FileTree.createDirectory(root.appending("data").appending("mine"), parents: true)
            try FileTree.write([1], to: root.appending("data").appending("mine").appending("file"))
            let directory = TabletDirectory(path: root.appending("mine"), uid: 1)
            try directory.create(owner: nil)
            #expect(try FileTree.status(directory.data, followLinks: false)?.kind == .directory)
            try directory.remove()
            #expect(try FileTree.list(root) == ["data"])
            #expect(try FileTree.list(root.appending("data").appending("mine")) == ["file"])
        }
    }

    @Test("is removed with what its links point to, and nothing else")
    func remove() throws {
        try withScratchFolder { root in
            try FileTree.createDirectory(root.appending("data").appending("vt_0000000002"), parents: true)
            let directory = TabletDirectory(dataRoot: root, uid: 1)
            try directory.create(owner: nil)
            try FileTree.write([1], to: directory.data.appending("ibdata1"))
            #expect(try FileTree.list(root.appending("data")) == ["vt_0000000001", "vt_0000000002"])
            try directory.remove()
            try directory.remove()
            #expect(try FileTree.list(root) == ["data"])
            #expect(try FileTree.list(root.appending("data")) == ["vt_0000000002"])
        }
    }

    @Test("is removed with what was made on such a disk before the link to it, but not with what others left there")
    func removeUnlinked() throws {
        try withScratchFolder { root in
            let directory = TabletDirectory(dataRoot: root, uid: 1)
            try FileTree.createDirectory(directory.path, parents: false)
            for name in ["data", "innodb"] {
                try FileTree.createDirectory(root.appending(name).appending("vt_0000000001"), parents: true)
            }
            try FileTree.write([1], to: root.appending("innodb").appending("vt_0000000001").appending("ibdata1"))
            try directory.remove()
            #expect(try FileTree.list(root) == ["data", "innodb"])
            #expect(try FileTree.list(root.appending("data")) == [])
            #expect(try FileTree.list(root.appending("innodb").appending("vt_0000000001")) == ["ibdata1"])
        }
    }

    @Test("is marked while a backup is unpacked into it")
    func restore() throws {
        try withScratchFolder { root in
            let directory = TabletDirectory(dataRoot: root, uid: 1)
            try directory.prepareForRestore(owner: nil)
            #expect(try FileTree.list(directory.path) == Self.tree.dropLast() + ["restore_in_progress", "tmp"])
            try directory.finishRestore()
            #expect(try FileTree.list(directory.path) == Self.tree)
        }
    }

    @Test("is never restored into when something is there")
    func notEmpty() throws {
        try withScratchFolder { root in
            let directory = TabletDirectory(dataRoot: root, uid: 1)
            try FileTree.createDirectory(directory.path, parents: false)
            try FileTree.write([1], to: directory.path.appending("precious"))
            #expect(
                #expect(throws: FileError.self) { try directory.prepareForRestore(owner: nil) }?.errno == .fileExists
            )
            #expect(try FileTree.list(directory.path) == ["precious"])
        }
    }
}
