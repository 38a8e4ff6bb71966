import SystemPackage
import Testing

@testable import Host

@Suite("Reading and writing at an offset")
struct BlocksTests {
    @Test("writes all bytes at their place and reads them back")
    func roundTrip() throws {
        try withScratchFolder { folder in
            let file = try FileDescriptor.open(
                folder.appending("file"),
                .readWrite,
                options: .create,
                permissions: .ownerReadWrite
            )
            try file.closeAfter {
                try Array("world".utf8).withUnsafeBytes { try file.writeFully($0, at: 6) }
                try Array("hello ".utf8).withUnsafeBytes { try file.writeFully($0, at: 0) }
                #expect(try file.sizeAndChange().size == 11)
                #expect(try read(file, 11, at: 0) == Array("hello world".utf8))
                #expect(try read(file, 5, at: 6) == Array("world".utf8))
            }
        }
    }

    @Test("reads fewer bytes only at the end of the file")
    func end() throws {
        try withScratchFolder { folder in
            try FileTree.write(Array(repeating: 1, count: 100), to: folder.appending("file"))
            let file = try FileDescriptor.open(folder.appending("file"), .readOnly)
            defer { try? file.close() }
            #expect(try read(file, 64, at: 64).count == 36)
            #expect(try read(file, 64, at: 100).isEmpty)
            #expect(try read(file, 64, at: 1000).isEmpty)
        }
    }

    private func read(_ file: FileDescriptor, _ count: Int, at offset: Int64) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
            done = try file.readFully(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
        }
    }
}
