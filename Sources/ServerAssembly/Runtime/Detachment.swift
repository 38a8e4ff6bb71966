package import CommandLineKit
import Glibc
import SystemPackage

/// Running on in the background.
package enum Detachment {
    /// Starts this program again with the same arguments and `--detach=false` last, in a session of its own.
    /// - Returns: the process number of the copy.
    /// - Throws: ``UsageError`` when it cannot be started.
    package static func start(arguments: [String]) throws(UsageError) -> Int32 {
        let copy = ["/proc/self/exe"] + copyArguments(arguments)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(0x80))  // POSIX_SPAWN_SETSID
        var words: [UnsafeMutablePointer<CChar>?] = copy.map { strdup($0) }
        words[0] = strdup(CommandLine.arguments.first ?? "vtbackup")
        words.append(nil)
        defer { for word in words { free(word) } }
        // Whoever reads the copy's output may go away; the copy inherits that this is no reason to die.
        signal(SIGPIPE, SIG_IGN)
        var process = pid_t()
        let code = posix_spawn(&process, executablePath, nil, &attributes, words, environ)
        guard code == 0 else { throw UsageError("cannot detach: \(Errno(rawValue: code))") }
        return process
    }

    private static var executablePath: String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        return count > 0
            ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : "/proc/self/exe"
    }

    /// The last value counts: none is taken out, since a token that looks like the flag may be another one's value.
    static func copyArguments(_ arguments: [String]) -> [String] { arguments + ["--detach=false"] }
}
