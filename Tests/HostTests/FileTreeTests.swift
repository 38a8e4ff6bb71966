import Glibc
import SystemPackage
import Testing

@testable import Host

@Suite("FileTree")
struct FileTreeTests {
    @Test("tells kinds and sizes, following links or not")
    func status() throws {
        try withScratchFolder { folder in
            try FileTree.write(Array("hello".utf8), to: folder.appending("file"))
            try FileTree.link(folder.appending("link"), to: "file")
            try FileTree.link(folder.appending("dangling"), to: "nowhere")
            #expect(try FileTree.status(folder)?.kind == .directory)
            #expect(try FileTree.status(folder.appending("file"))?.kind == .regular)
            #expect(try FileTree.status(folder.appending("file"))?.size == 5)
            #expect(try FileTree.status(folder.appending("link"))?.kind == .regular)
            #expect(try FileTree.status(folder.appending("link"), followLinks: false)?.kind == .symbolicLink)
            #expect(try FileTree.status(folder.appending("dangling")) == nil)
            #expect(try FileTree.status(folder.appending("dangling"), followLinks: false)?.kind == .symbolicLink)
            #expect(try FileTree.status(folder.appending("absent")) == nil)
            #expect(try FileTree.status(folder.appending("file").appending("below")) == nil)
            #expect(try FileTree.status("/dev/null")?.kind == .other)
        }
    }

    @Test("a path that cannot be looked at is an error, not absent")
    func statusFails() throws {
        try withScratchFolder { folder in
            try FileTree.link(folder.appending("loop"), to: "loop")
            let error = #expect(throws: FileError.self) { try FileTree.status(folder.appending("loop")) }
            #expect(error?.operation == "stat")
            #expect(error?.path == folder.appending("loop"))
            #expect(error?.errno == .tooManySymbolicLinkLevels)
        }
    }

    @Test("lists names in byte order without . and ..")
    func list() throws {
        try withScratchFolder { folder in
            for name in ["b", "a", "Z", "ä", ".hidden", "10", "9"] {
                try FileTree.write([], to: folder.appending(name))
            }
            #expect(try FileTree.list(folder) == [".hidden", "10", "9", "Z", "a", "b", "ä"])
            #expect(try FileTree.list(folder.appending("absent")) == nil)
        }
    }

    @Test("a name that is not UTF-8 is an error that names the folder")
    func listForeignName() throws {
        try withScratchFolder { folder in
            let path = Array("\(folder)/bad-".utf8CString.dropLast()) + [CChar(bitPattern: 0xff), 0]
            let descriptor = open(path, O_CREAT, 0o600)
            defer { unlink(path) }
            try #require(descriptor >= 0)
            close(descriptor)
            let error = #expect(throws: FileError.self) { try FileTree.list(folder) }
            #expect(error?.path == folder)
            #expect(error?.description.contains("not UTF-8") == true)
        }
    }

    @Test("creates one folder, which must not exist")
    func createOne() throws {
        try withScratchFolder { folder in
            let path = folder.appending("one")
            try FileTree.createDirectory(path, parents: false)
            #expect(
                #expect(throws: FileError.self) { try FileTree.createDirectory(path, parents: false) }?.errno
                    == .fileExists
            )
            let deep = folder.appending("no").appending("parent")
            #expect(
                #expect(throws: FileError.self) { try FileTree.createDirectory(deep, parents: false) }?.errno
                    == .noSuchFileOrDirectory
            )
        }
    }

    @Test("creates folders with their parents, mode 0770 less the umask, again and again")
    func createParents() throws {
        try withScratchFolder { folder in
            let path = folder.appending("a").appending("b").appending("c")
            try FileTree.createDirectory(path, parents: true)
            try FileTree.createDirectory(path, parents: true)
            let mask = umask(0)
            umask(mask)
            for each in [path, path.removingLastComponent()] {
                #expect(try FileTree.status(each)?.mode == 0o770 & ~UInt32(mask))
            }
        }
    }

    @Test("a file in the way of a folder is an error")
    func createOverFile() throws {
        try withScratchFolder { folder in
            try FileTree.write([], to: folder.appending("file"))
            for path in [folder.appending("file"), folder.appending("file").appending("below")] {
                #expect(throws: FileError.self) { try FileTree.createDirectory(path, parents: true) }
            }
        }
    }

    @Test("removes a tree, but never what a link points to")
    func remove() throws {
        try withScratchFolder { folder in
            let (kept, tree) = (folder.appending("kept"), folder.appending("tree"))
            try FileTree.createDirectory(kept, parents: false)
            try FileTree.write(Array("precious".utf8), to: kept.appending("file"))
            try FileTree.createDirectory(tree.appending("sub"), parents: true)
            try FileTree.write([], to: tree.appending("sub").appending("file"))
            try FileTree.link(tree.appending("to-folder"), to: kept)
            try FileTree.link(tree.appending("sub").appending("to-file"), to: kept.appending("file"))
            try FileTree.remove(tree)
            #expect(try FileTree.list(folder) == ["kept"])
            #expect(try FileTree.read(kept.appending("file"), limit: 100) == Array("precious".utf8))
        }
    }

    @Test("removing a link removes only the link, removing nothing is fine")
    func removeLink() throws {
        try withScratchFolder { folder in
            try FileTree.createDirectory(folder.appending("kept"), parents: false)
            try FileTree.write([], to: folder.appending("kept").appending("file"))
            try FileTree.link(folder.appending("link"), to: folder.appending("kept"))
            try FileTree.remove(folder.appending("link"))
            try FileTree.remove(folder.appending("link"))
            #expect(try FileTree.list(folder) == ["kept"])
            #expect(try FileTree.list(folder.appending("kept")) == ["file"])
        }
    }

    @Test("renaming replaces the target")
    func rename() throws {
        try withScratchFolder { folder in
            try FileTree.write(Array("new".utf8), to: folder.appending("a"), durable: true)
            try FileTree.write(Array("old".utf8), to: folder.appending("b"))
            try FileTree.rename(folder.appending("a"), to: folder.appending("b"))
            try FileTree.sync(directory: folder)
            #expect(try FileTree.list(folder) == ["b"])
            #expect(try FileTree.read(folder.appending("b"), limit: 3) == Array("new".utf8))
        }
    }

    @Test("writing replaces a longer file, mode 0660 less the umask")
    func write() throws {
        try withScratchFolder { folder in
            let file = folder.appending("file")
            try FileTree.write(Array("a long text".utf8), to: file)
            try FileTree.write(Array("short".utf8), to: file)
            #expect(try FileTree.read(file, limit: 1000) == Array("short".utf8))
            let mask = umask(0)
            umask(mask)
            #expect(try FileTree.status(file)?.mode == 0o660 & ~UInt32(mask))
        }
    }

    @Test("reads up to the limit, and nothing that is longer", arguments: [0, 1, 65_535, 65_536, 65_537, 200_000])
    func readLimit(size: Int) throws {
        try withScratchFolder { folder in
            let file = folder.appending("file")
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
            try FileTree.write(bytes, to: file)
            #expect(try FileTree.read(file, limit: size) == bytes)
            #expect(try FileTree.read(file, limit: size + 1) == bytes)
            if size > 0 {
                let error = #expect(throws: FileError.self) { try FileTree.read(file, limit: size - 1) }
                #expect(error?.errno == .fileTooLarge)
            }
            #expect(try FileTree.read(folder.appending("absent"), limit: size) == nil)
        }
    }

    @Test(
        "a full disk and a missing permission come with what to do",
        arguments: [Errno.noSpace, .permissionDenied, .ioError]
    )
    func hints(errno: Errno) {
        let text = FileError("write", "/data/file", errno).description
        #expect(text.hasPrefix("write /data/file: "))
        #expect(text.contains("HINT:") == (errno != .ioError))
    }

    @Test("opens regular files only, without waiting for anybody", .timeLimit(.minutes(5)))
    func openRegularOnly() throws {
        try withScratchFolder { folder in
            let (pipe, socket, link) = (folder.appending("pipe"), folder.appending("socket"), folder.appending("link"))
            #expect(mkfifo(pipe.string, 0o600) == 0)
            #expect(mknod(socket.string, S_IFSOCK | 0o600, 0) == 0)
            for mode in [FileDescriptor.AccessMode.readOnly, .writeOnly, .readWrite] {
                for path in [pipe, socket, "/dev/null"] {
                    let error = #expect(throws: FileError.self, "\(mode) \(path)") {
                        try FileTree.open(path, mode, options: .append)
                    }
                    #expect(error?.errno == .noSuchAddressOrDevice)
                    #expect(error?.description.contains("HINT: it is no regular file") == true)
                }
                #expect(
                    #expect(throws: FileError.self) { try FileTree.open(folder, mode) }?.errno == .isDirectory
                )
            }
            try FileTree.link(link, to: folder.appending("target"))
            let error = #expect(throws: FileError.self) {
                try FileTree.open(
                    link,
                    .readWrite,
                    options: [.create, .noFollow],
                    permissions: .ownerReadWrite
                )
            }
            #expect(error?.errno == .tooManySymbolicLinkLevels)
            #expect(error?.description.contains("HINT: a link stands there") == true)
            #expect(try FileTree.list(folder) == ["link", "pipe", "socket"])
        }
    }
}
