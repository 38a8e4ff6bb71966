import Glibc
import Processes
import SystemPackage

/// Servers that run on a tablet's folder, whoever has started them.
///
/// A hook's is no child of ours, and may not have come so far that it writes its number or lets anybody log in.
struct FolderServers {
    let directory: TabletDirectory

    /// Those that run, and scripts that would start them again.
    var running: [Int32] {
        ProcessTable.running.map(\.process).filter { process in
            let words = ProcessTable.words(of: process)
            // A script's first word is its shell.
            let isServer = words.prefix(2).contains { word in
                let name = word.split(separator: "/").last ?? ""
                return name.hasPrefix("mysqld") || name.hasPrefix("mariadbd")
            }
            return isServer && words.contains { $0.contains(directory.path.string + "/") }
        }
    }

    /// Kills them: their folder is thrown away.
    func kill() async {
        for _ in 0..<Self.attempts {
            let found = running
            if found.isEmpty { return }
            for process in found { Glibc.kill(process, SIGKILL) }
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    /// A dying server gives back its memory first.
    private static let attempts = 1000
}
