import FoundationEssentials
import Host
import SystemPackage

/// What the control groups that this process is in let it have.
///
/// The least of all limits counts, from our own group up to the root: a pod's is often set above the container's.
struct ControlGroups {
    /// Groups with a limit of memory, and the file that has it.
    private let memory: [(group: FilePath, file: String)]
    private let read: (FilePath) -> String?

    /// - Parameters:
    ///   - membership: `/proc/self/cgroup`; see cgroups(7).
    ///   - read: a file below the place where the groups are mounted; `nil`: there is none.
    init(membership: String, read: @escaping (FilePath) -> String?) {
        self.read = read
        // 0::/group of version 2; 4:memory,other:/group of version 1, each controller below a folder of its own.
        memory = membership.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return nil }
            let group = FilePath(String(fields[2])).lexicallyNormalized()
            if fields[0] == "0" { return (group, "memory.max") }
            guard fields[1].split(separator: ",").contains("memory") else { return nil }
            return (FilePath("memory").pushing(group.removingRoot()), "memory.limit_in_bytes")
        }
    }

    /// Those of this process.
    static var own: ControlGroups {
        ControlGroups(membership: text("/proc/self/cgroup") ?? "") { text(FilePath("/sys/fs/cgroup").pushing($0)) }
    }

    /// Bytes that all processes of a group may take together; `nil`: no group has a limit; blocking.
    var memoryLimit: Int? {
        memory.flatMap { group, file in
            // In a container our path may be the host's, which is not mounted here: then the groups above it are ours.
            sequence(first: group) { $0.components.isEmpty ? nil : $0.removingLastComponent() }
                .compactMap { read($0.removingRoot().appending(file)) }
                .compactMap { Int($0.filter(\.isNumber)) }
        }.min()
    }

    private static func text(_ path: FilePath) -> String? {
        (try? FileTree.read(path, limit: 1 << 16)).map { String(decoding: $0, as: UTF8.self) }
    }
}
