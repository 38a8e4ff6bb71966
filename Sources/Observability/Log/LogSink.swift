import Glibc
import Host
import Synchronization
import SystemPackage

/// Where log lines go: files by severity, stderr from a threshold on, and a status line of a terminal below them.
package final class LogSink: Sendable {
    /// What the logging flags decide.
    package struct Configuration: Sendable {
        package var toStandardErrorOnly = false
        package var alsoToStandardError = false
        /// Lines of at least this severity go to stderr as well.
        package var threshold = LogSeverity.warning
        /// Empty: the folder for temporary files.
        package var folder = ""
        package var program = "vtbackup"

        /// Creates the defaults.
        package init() {}
    }

    private struct State {
        var files: [LogSeverity: FileDescriptor] = [:]
        var status = ""
        var filesFailed = false
    }

    private let configuration: Configuration
    private let state = Mutex(State())

    /// Creates a sink; files are made when the first line needs them.
    package init(_ configuration: Configuration) {
        self.configuration = configuration
    }

    /// Writes one line everywhere it belongs.
    package func write(_ severity: LogSeverity, _ message: String, file: String, line: UInt) {
        let moment = GlogLine.Moment.now
        let text = GlogLine.text(severity, message, file: file, line: line, at: moment)
        state.withLock { state in
            if !configuration.toStandardErrorOnly {
                for level in LogSeverity.allCases where level <= severity {
                    guard let file = openFile(level, at: moment, &state) else { continue }
                    _ = try? file.writeAll(text.utf8)
                }
            }
            let toStandardError =
                configuration.toStandardErrorOnly || configuration.alsoToStandardError
                || severity >= configuration.threshold
                || state.filesFailed
            if toStandardError { print(text, below: &state) }
        }
    }

    /// Whether stderr is a terminal that can show a moving line.
    package var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Shows `text` as the last line of the terminal, until the next call or a log line; empty removes it.
    package func showStatus(_ text: String) {
        state.withLock { state in
            guard text != state.status else { return }
            state.status = text
            emit("\r\u{1b}[2K" + text)
        }
    }

    /// Writes a line for people to the terminal, above the status line.
    package func printLine(_ text: String) {
        state.withLock { print(text + "\n", below: &$0) }
    }

    private func print(_ text: String, below state: inout State) {
        emit(state.status.isEmpty ? text : "\r\u{1b}[2K" + text + state.status)
    }

    private func emit(_ text: String) {
        _ = try? FileDescriptor.standardError.writeAll(text.utf8)
    }

    // MARK: Files

    private func openFile(_ severity: LogSeverity, at moment: GlogLine.Moment, _ state: inout State) -> FileDescriptor?
    {
        if let file = state.files[severity] { return file }
        if state.filesFailed { return nil }
        var reasons: [String] = []
        for folder in [configuration.folder, temporaryFolder].filter({ !$0.isEmpty }) {
            let path = FilePath(folder).appending(fileName(severity, moment))
            let file: FileDescriptor
            do {
                file = try create(path)
            } catch {
                reasons.append("\(error)")
                continue
            }
            _ = try? file.writeAll(header(moment).utf8)
            let link = FilePath(folder).appending("\(configuration.program).\(severity.name)")
            // A convenience for people; without it the file is still found by its name.
            unlink(link.string)
            if let name = path.lastComponent { try? FileTree.link(link, to: FilePath(name.string)) }
            state.files[severity] = file
            return file
        }
        state.filesFailed = true
        let folder = configuration.folder.isEmpty ? temporaryFolder : configuration.folder
        emit(
            "log: cannot create log files in \(folder); everything goes to stderr: \(reasons.joined(separator: "; "))\n"
        )
        return nil
    }

    /// The file must be new: folders for logs are often everybody's, who know which name comes next.
    private func create(_ path: FilePath) throws(FileError) -> FileDescriptor {
        try FileTree.open(
            path,
            .writeOnly,
            options: [.create, .exclusiveCreate, .append],
            permissions: FilePermissions(rawValue: 0o666)
        )
    }

    private var temporaryFolder: String {
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? ""
        return folder.isEmpty ? "/tmp" : folder
    }

    private func fileName(_ severity: LogSeverity, _ moment: GlogLine.Moment) -> String {
        let t = moment.local
        let time =
            "\(GlogLine.padded(Int(t.tm_year) + 1900, 4))\(GlogLine.padded(Int(t.tm_mon) + 1, 2))\(GlogLine.padded(Int(t.tm_mday), 2))-\(GlogLine.padded(Int(t.tm_hour), 2))\(GlogLine.padded(Int(t.tm_min), 2))\(GlogLine.padded(Int(t.tm_sec), 2))"
        return "\(configuration.program).\(hostName).\(userName).log.\(severity.name).\(time).\(getpid())"
    }

    private func header(_ moment: GlogLine.Moment) -> String {
        let t = moment.local
        let time =
            "\(Int(t.tm_year) + 1900)/\(GlogLine.padded(Int(t.tm_mon) + 1, 2))/\(GlogLine.padded(Int(t.tm_mday), 2)) \(GlogLine.padded(Int(t.tm_hour), 2)):\(GlogLine.padded(Int(t.tm_min), 2)):\(GlogLine.padded(Int(t.tm_sec), 2))"
        return """
            Log file created at: \(time)
            Running on machine: \(hostName)
            Binary: Built with swift for linux
            Previous log: <none>
            Log line format: [IWEF]mmdd hh:mm:ss.uuuuuu threadid file:line] msg

            """
    }

    private var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "unknownhost" }
        let name = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return name.split(separator: ".").first.map(String.init) ?? "unknownhost"
    }

    private var userName: String {
        guard let entry = getpwuid(geteuid()), let name = entry.pointee.pw_name else { return "unknownuser" }
        return String(String(cString: name).map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    }
}
