import Glibc
import Host
import SystemPackage
import Testing

@testable import MySQLControl

@Suite("The lock beside a socket")
struct SocketLockTests {
    private func lock(_ folder: FilePath, _ text: String) throws -> (SocketLock, FilePath) {
        let socket = folder.appending("m.sock")
        let path = folder.appending("m.sock.lock")
        try FileTree.write(Array(text.utf8), to: path)
        return (SocketLock(socket: socket), path)
    }

    @Test("of a process that is no server, in this container or another one, does not hold the socket")
    func foreignProcess() throws {
        // Whoever started the tests lives, and is no mysqld; the greatest number is nobody's.
        for pid in [getppid(), pid_t(4_194_303), getpid()] {
            try withScratchFolder { folder in
                let (lock, path) = try lock(folder, "\(pid)\n")
                try lock.release()
                #expect(try FileTree.status(path) == nil)
            }
        }
    }

    @Test("beside a socket that answers stays, whoever it names")
    func listening() throws {
        try withScratchFolder { folder in
            let (lock, path) = try lock(folder, "4194303\n")
            let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(lock.socket.string.utf8)) }
            let bound = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            #expect(bound == 0)
            #expect(listen(descriptor, 1) == 0)
            let error = #expect(throws: MysqldError.self) { try lock.release() }
            #expect(error?.description.contains("somebody answers on \(lock.socket)") == true)
            #expect(try FileTree.status(path) != nil)
        }
    }

    @Test("without a number is somebody's decision, and none is none")
    func odd() throws {
        try withScratchFolder { folder in
            let (lock, _) = try lock(folder, "no number")
            #expect(throws: MysqldError.self) { try lock.release() }
            try SocketLock(socket: folder.appending("other.sock")).release()
        }
    }
}
