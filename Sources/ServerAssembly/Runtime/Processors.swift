import Host
import NIOCore
import SystemPackage

/// How many processors this process may use.
package enum Processors {
    /// The smaller of the cgroup's share and the affinity mask, at least one.
    package static var available: Int {
        max(1, min(System.coreCount, affinity ?? .max))
    }

    /// Bits of `Cpus_allowed` in `/proc/self/status`, a list of hexadecimal words.
    private static var affinity: Int? {
        guard let bytes = try? FileTree.read("/proc/self/status", limit: 1 << 16) else { return nil }
        let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("Cpus_allowed:") }
        let mask = line?.split(separator: ":").last?.filter { $0.isHexDigit }
        return mask.map { $0.reduce(0) { $0 + ($1.hexDigitValue ?? 0).nonzeroBitCount } }
    }
}
