import Glibc
import Host
import SystemPackage
import Testing

@testable import Observability

/// Log files lie in folders where others may write too.
@Suite("log files", .timeLimit(.minutes(5)))
struct LogSinkTests {
    private func withFolder(_ body: (FilePath) throws -> Void) throws {
        let folder = FilePath("/var/tmp/log-tests-\(UInt64.random(in: 0 ... .max))")
        try FileTree.createDirectory(folder, parents: false)
        defer { try? FileTree.remove(folder) }
        try body(folder)
    }

    private func sink(_ folder: FilePath, _ program: String) -> LogSink {
        var configuration = LogSink.Configuration()
        (configuration.folder, configuration.program) = (folder.string, program)
        configuration.threshold = .fatal
        return LogSink(configuration)
    }

    @Test("pipes and links under the names that come next are neither waited for nor written to")
    func planted() throws {
        try withFolder { folder in
            let program = "t\(UInt32.random(in: 0 ... .max))"
            // The name is known before it is used: program, host, user, time and process.
            sink(folder, program).write(.info, "first", file: "x.swift", line: 1)
            let name = try #require(try FileTree.list(folder)?.first { $0.contains(".log.INFO.") })
            let parts = name.split(separator: ".").map(String.init)
            let position = try #require(parts.firstIndex("20"))
            let other = folder.appending("other")
            try FileTree.createDirectory(folder.appending("logs"), parents: false)
            let logs = folder.appending("logs")
            var now = time(nil)
            for offset in 0..<30 {
                var fields = tm()
                localtime_r(&now, &fields)
                var text = [CChar](repeating: 0, count: 32)
                strftime(&text, text.count, "%Y%m%d-%H%M%S", &fields)
                var planted = parts
                planted[position] = String(decoding: text.prefix { $0 != 0 }.map { UInt8($0) }, as: UTF8.self)
                let path = logs.appending(planted.joined(separator: ".")).string
                #expect((offset % 2 == 0 ? mkfifo(path, 0o666) : symlink(other.string, path)) == 0)
                now += 1
            }
            #expect(mkfifo(logs.appending("\(program).INFO").string, 0o666) == 0)
            let before = try FileTree.list(logs)
            sink(logs, program).write(.info, "second", file: "x.swift", line: 1)
            // It went to the folder for temporary files instead.
            #expect(try FileTree.list(logs) == before)
            #expect(try FileTree.status(other) == nil)
            let temporary = FilePath(getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp")
            for name in try FileTree.list(temporary, repairing: true) ?? [] where name.hasPrefix(program) {
                try FileTree.remove(temporary.appending(name))
            }
        }
    }
}

extension [String] {
    /// The index of the first element that begins so.
    fileprivate func firstIndex(_ beginning: String) -> Int? {
        firstIndex { $0.hasPrefix(beginning) && $0.contains("-") }
    }
}
