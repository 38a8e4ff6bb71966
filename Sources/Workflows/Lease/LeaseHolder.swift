import Glibc
import Host
import SystemPackage
import Vocabulary

/// Who holds a lease: enough to tell an operator, and to see on the same machine whether the process still lives.
package struct LeaseHolder: Hashable, Sendable, Codable {
    /// Our imaginary tablet, new in every pass.
    package var alias: String
    package var host: String
    package var process: Int32
    /// Of the machine's last boot.
    package var boot: String
    /// Process numbers mean something within one namespace only.
    package var processNamespace: String
    /// In clock ticks after boot: a number may be given to another process.
    package var processStart: String

    enum CodingKeys: String, CodingKey {
        case alias = "Holder"
        case host = "Host"
        case process = "Process"
        case boot = "Boot"
        case processNamespace = "ProcessNamespace"
        case processStart = "ProcessStart"
    }

    /// Describes a holder.
    package init(
        alias: String,
        host: String,
        process: Int32,
        boot: String,
        processNamespace: String,
        processStart: String
    ) {
        (self.alias, self.host, self.process) = (alias, host, process)
        (self.boot, self.processNamespace, self.processStart) = (boot, processNamespace, processStart)
    }

    /// This process; blocking, but only for a moment.
    package static func current(alias: String, host: String) -> LeaseHolder {
        LeaseHolder(
            alias: alias,
            host: host,
            process: getpid(),
            boot: (try? FileTree.read("/proc/sys/kernel/random/boot_id", limit: 256)).flatMap(text) ?? "",
            processNamespace: namespace,
            processStart: start(of: getpid()) ?? ""
        )
    }

    /// Whether this process has ended for sure, as seen from `observer`; on another machine nobody can tell.
    package func isDead(seenFrom observer: LeaseHolder) -> Bool {
        guard !boot.isEmpty, boot == observer.boot else { return false }
        guard !processNamespace.isEmpty, processNamespace == observer.processNamespace, !processStart.isEmpty else {
            return false
        }
        if let start = Self.start(of: process) { return start != processStart }
        // That its status cannot be read does not mean that it is gone.
        return process > 0 && kill(process, 0) != 0 && errno == ESRCH
    }

    package var description: String {
        PrintableText.line("\(alias) on \(host.isEmpty ? "an unnamed host" : host) (process \(process))")
    }

    private static var namespace: String {
        var buffer = [CChar](repeating: 0, count: 128)
        let count = readlink("/proc/self/ns/pid", &buffer, buffer.count - 1)
        return count > 0 ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
    }

    /// Field 22 of the process's status; `nil` when there is no such process, or only its remains.
    private static func start(of process: Int32) -> String? {
        guard let bytes = try? FileTree.read(FilePath("/proc/\(process)/stat"), limit: 1 << 12) else { return nil }
        // The name stands in parentheses and may hold anything.
        let fields = String(decoding: bytes, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
        return String(fields[19])
    }

    private static func text(_ bytes: [UInt8]?) -> String? {
        bytes.map { String(decoding: $0, as: UTF8.self).trimmingPrefix { $0.isWhitespace }.filter { !$0.isWhitespace } }
    }
}
