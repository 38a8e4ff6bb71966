import Glibc
import Host
import SystemPackage

/// The file beside a socket that says which server uses it: `<socket>.lock`, with a process number.
///
/// One that a dead server left would keep the next one from starting. The number alone does not tell: in the folder of a
/// container that is gone it may be any process of ours.
struct SocketLock {
    let socket: FilePath

    private var path: FilePath { FilePath(socket.string + ".lock") }

    /// Removes the lock when nobody uses the socket.
    /// - Throws: ``MysqldError`` with code `start` when somebody does, or may.
    func release() throws {
        guard let bytes = try FileTree.read(path, limit: 64) else { return }
        let text = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
        guard let pid = pid_t(text), pid > 0 else {
            throw MysqldError(
                .start,
                "\(path) does not hold a process number; HINT: remove it if no mysqld uses \(socket)"
            )
        }
        if try isListening() {
            throw MysqldError(.start, "somebody answers on \(socket), and \(path) names process \(pid)")
        }
        if pid != getpid(), try isServer(pid) {
            throw MysqldError(.start, "process \(pid) is still running and holds \(path)")
        }
        try FileTree.remove(path)
    }

    /// Whether a connection is taken; what cannot be told counts as one.
    private func isListening() throws -> Bool {
        guard try FileTree.status(socket) != nil else { return false }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(socket.string.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = Glibc.socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { throw FileError("connect to", socket, Errno(rawValue: errno)) }
        defer { close(descriptor) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return result == 0 || ![ECONNREFUSED, ENOENT, ENOTSOCK].contains(errno)
    }

    /// Whether the process lives and may be a server that does not listen yet.
    private func isServer(_ pid: pid_t) throws -> Bool {
        // Only "no such process" says that it is gone; a process of another user answers "not permitted".
        guard kill(pid, 0) == 0 || errno != ESRCH else { return false }
        guard let name = try? FileTree.read(FilePath("/proc/\(pid)/comm"), limit: 64) else { return true }
        let text = String(decoding: name, as: UTF8.self)
        return text.hasPrefix("mysqld") || text.hasPrefix("mariadbd")
    }
}
