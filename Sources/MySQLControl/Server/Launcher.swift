import CLinux
import Glibc
import Host
import SystemPackage

/// What starts mysqld: it asks the kernel to kill mysqld when we die, and changes the user.
///
/// setpriv of util-linux does both where it is installed. The image of a bare mysqld often lacks it; there this very
/// program does the same, called by ``name``.
package enum Launcher {
    /// The zeroth argument by which the program knows that it shall start another one.
    package static let name = "vtbackup-launcher"

    /// setpriv, or this program where there is none.
    static let program: FilePath = {
        let candidates: [FilePath] = ["/usr/bin/setpriv", "/bin/setpriv", "/usr/sbin/setpriv"]
        return candidates.first { (try? FileTree.status($0))?.kind == .regular } ?? ownProgram
    }()

    /// Not the path it was started by: that can be gone, or another file by now.
    static let ownProgram: FilePath = "/proc/self/exe"

    /// Becomes the program that `arguments` name, when the zeroth one says that this is wanted; else returns at once.
    ///
    /// Understands the words of ``MysqldUser/launcher(_:)`` and nothing else.
    package static func runIfCalled(_ arguments: [String]) {
        guard arguments.first == name, let end = arguments.firstIndex(of: "--"), end + 1 < arguments.count else {
            return
        }
        let options = arguments[1..<end]
        func value(_ option: String) -> UInt32? {
            options.firstIndex(of: option).flatMap { $0 + 1 < end ? UInt32(options[$0 + 1]) : nil }
        }
        if let user = value("--reuid"), let group = value("--regid") {
            let named = options.contains("--init-groups") ? getpwuid(user)?.pointee.pw_name : nil
            attempt("setgroups", named.map { initgroups($0, group) } ?? setgroups(0, nil))
            attempt("setgid", setgid(group))
            attempt("setuid", setuid(user))
        }
        // After the change of user, which clears it.
        attempt("prctl", clinux_die_with_parent())
        let program = arguments[end + 1]
        execv(program, arguments[(end + 1)...].map { strdup($0) } + [nil])
        attempt("execv \(program)", -1)
    }

    private static func attempt(_ call: String, _ result: Int32) {
        guard result != 0 else { return }
        _ = try? FileDescriptor.standardError.writeAll("\(name): \(call): \(Errno(rawValue: errno))\n".utf8)
        _exit(127)
    }
}
