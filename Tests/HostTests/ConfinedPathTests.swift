import Glibc
import SystemPackage
import Testing

@testable import Host

/// Places below a folder where somebody else may write.
@Suite("places below a folder")
struct ConfinedPathTests {
    /// A folder `inside` with `a/b`, and one outside with a file.
    private func withFolders(_ body: (_ inside: FilePath, _ outside: FilePath) throws -> Void) throws {
        try withScratchFolder { folder in
            let (inside, outside) = (folder.appending("inside"), folder.appending("outside"))
            try FileTree.createDirectory(inside.appending("a").appending("b"), parents: true)
            try FileTree.createDirectory(outside, parents: false)
            try FileTree.write(Array("precious".utf8), to: outside.appending("file"))
            try body(inside, outside)
            #expect(try FileTree.list(outside) == ["file"])
            #expect(try FileTree.read(outside.appending("file"), limit: 100) == Array("precious".utf8))
        }
    }

    private func write(_ place: ConfinedPath) throws { try FileTree.write(Array("new".utf8), to: place, owner: nil) }

    @Test("files and folders are made, replaced, synced and removed there")
    func works() throws {
        try withFolders { inside, _ in
            let file = ConfinedPath(root: inside, below: "x/y/file")
            #expect(file.path == inside.pushing("x/y/file"))
            try FileTree.createDirectory(ConfinedPath(root: inside, below: "x/y"), owner: nil)
            try FileTree.createDirectory(ConfinedPath(root: inside, below: "x/y"), owner: nil)
            for _ in 0..<2 { try write(file) }
            #expect(try FileTree.read(file.path, limit: 100) == Array("new".utf8))
            try FileTree.openAppending(file, owner: nil).closing { _ = 0 }
            try FileTree.sync(directory: ConfinedPath(root: inside, below: "x/y"))
            try FileTree.removeContents(of: ConfinedPath(root: inside, below: ""), keeping: ["a"])
            #expect(try FileTree.list(inside) == ["a"])
            try FileTree.removeContents(of: ConfinedPath(root: inside, below: "absent"), keeping: [])
        }
    }

    @Test("the folder itself may be a link, it is the operator's")
    func rootIsLink() throws {
        try withFolders { inside, outside in
            let link = inside.removingLastComponent().appending("link")
            try FileTree.link(link, to: inside)
            try write(ConfinedPath(root: link, below: "a/file"))
            #expect(try FileTree.list(inside.appending("a")) == ["b", "file"])
        }
    }

    @Test("no link in the place of a folder is followed, at any depth", arguments: ["a", "a/b"])
    func folderIsLink(planted: FilePath) throws {
        try withFolders { inside, outside in
            try FileTree.remove(inside.pushing(planted))
            try FileTree.link(inside.pushing(planted), to: outside)
            let below = planted.appending("file")
            let calls: [() throws -> Void] = [
                { try write(ConfinedPath(root: inside, below: below)) },
                { _ = try FileTree.open(ConfinedPath(root: inside, below: below), .readOnly) },
                { _ = try FileTree.openAppending(ConfinedPath(root: inside, below: below), owner: nil) },
                { try FileTree.createDirectory(ConfinedPath(root: inside, below: planted.appending("n")), owner: nil) },
                { try FileTree.createDirectory(ConfinedPath(root: inside, below: planted), owner: nil) },
                { try FileTree.link(ConfinedPath(root: inside, below: planted.appending("l")), to: "x") },
                { try FileTree.sync(directory: ConfinedPath(root: inside, below: planted)) },
                { try FileTree.removeContents(of: ConfinedPath(root: inside, below: planted), keeping: []) },
            ]
            for call in calls {
                let error = #expect(throws: FileError.self) { try call() }
                #expect(error?.errno == .tooManySymbolicLinkLevels)
                #expect(error?.path == inside.pushing(planted))
                #expect(error?.description.contains("HINT: a link stands there") == true)
            }
        }
    }

    @Test("a link or a second name in the place of a file is replaced, and not written to")
    func fileIsLink() throws {
        try withFolders { inside, outside in
            let (soft, hard) = (ConfinedPath(root: inside, below: "a/s"), ConfinedPath(root: inside, below: "a/h"))
            func plant() throws {
                try FileTree.link(soft.path, to: outside.appending("file"))
                #expect(link(outside.appending("file").string, hard.path.string) == 0)
            }
            try plant()
            for place in [soft, hard] {
                // What is only added to is not ours to replace.
                let error = #expect(throws: FileError.self) { _ = try FileTree.openAppending(place, owner: nil) }
                #expect(error?.description.contains("HINT:") == true)
                try write(place)
                #expect(try FileTree.read(place.path, limit: 100) == Array("new".utf8))
            }
        }
    }

    @Test("nothing in the path leads up")
    func up() throws {
        try withFolders { inside, _ in
            #expect(ConfinedPath(root: inside, below: "../outside/file").path == inside.pushing("outside/file"))
        }
    }
}
