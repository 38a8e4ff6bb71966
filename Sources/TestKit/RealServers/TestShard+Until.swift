import Glibc
import Host
import SystemPackage

extension TestShard {
    /// Runs `vtbackup` until its log says `text`, and ends it then: what is said at once is seen, and nobody waits for as
    /// long as the pass goes on trying.
    package func vtbackup(_ arguments: [String], until text: String) async throws -> ProgramRun {
        let logs = folder.appending("log-\(UInt64.random(in: 0 ... .max))")
        try FileTree.createDirectory(logs, parents: true)
        return try await vtbackup(arguments + ["--logtostderr=false", "--log_dir=\(logs)"]) { process in
            while Programs.isAlive(process), try !Self.says(text, logs.appending("vtbackup.INFO")) {
                await pauseBetweenLooks()
            }
            kill(process, SIGTERM)
        }
    }

    private static func says(_ text: String, _ log: FilePath) throws -> Bool {
        String(decoding: try FileTree.read(log, limit: 1 << 24) ?? [], as: UTF8.self).contains(text)
    }
}
