import CLinux
import Glibc
import Host
import SystemPackage

/// The processes of this machine, as far as the kernel shows them to us.
package enum ProcessTable {
    /// A process that runs.
    package struct Entry: Hashable, Sendable {
        package var process: Int32
        package var parent: Int32
    }

    /// All that run; dead ones that nobody has looked after are none.
    package static var running: [Entry] {
        let names = (try? FileTree.list("/proc")).flatMap { $0 } ?? []
        return names.compactMap { name in
            guard let process = Int32(name), let text = text(of: process, "stat"), let end = text.lastIndex(of: ")")
            else { return nil }
            // Behind the name, which may hold anything: state and parent.
            let fields = text[text.index(after: end)...].split(separator: " ")
            guard fields.count > 1, !["Z", "X"].contains(fields[0]), let parent = Int32(fields[1]) else { return nil }
            return Entry(process: process, parent: parent)
        }
    }

    /// The words that a process was started with; empty when they cannot be seen.
    package static func words(of process: Int32) -> [String] {
        text(of: process, "cmdline")?.split(separator: "\0").map(String.init) ?? []
    }

    private static func text(of process: Int32, _ name: String) -> String? {
        let bytes = try? FileTree.read(FilePath("/proc/\(process)").appending(name), limit: 1 << 20)
        return bytes.flatMap { $0 }.map { String(decoding: $0, as: UTF8.self) }
    }
}

/// What was started by us, and by whom we have started.
package enum Descendants {
    /// A descendant whose parent ends becomes our child from now on, so that it is found whatever session or group it has
    /// made for itself.
    package static func adoptOrphans() {
        // A kernel that cannot leaves us with those whose parents live.
        _ = clinux_adopt_orphans()
    }

    /// All that run below this process.
    package static var running: [Int32] {
        let children = Dictionary(grouping: ProcessTable.running, by: \.parent)
        var (found, next) = ([Int32](), [getpid()])
        while let parent = next.popLast() {
            let below = children[parent, default: []].map(\.process)
            found += below
            next += below
        }
        return found
    }

    /// Kills them, and those whom they start meanwhile; blocking for a second at most.
    ///
    /// For a process that ends next: whoever waits for a child of ours finds it dead.
    package static func kill() {
        for _ in 0..<attempts {
            let found = running
            if found.isEmpty { return }
            for process in found { Glibc.kill(process, SIGKILL) }
            usleep(pause)
        }
    }

    private static let attempts = 100
    private static let pause: UInt32 = 10_000
}
