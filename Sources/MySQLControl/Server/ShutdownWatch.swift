import Host
import Logging
import SystemPackage

/// Tells a server that is busy with its shutdown from one that hangs.
///
/// Purging and flushing may take long; as long as the process reads or writes, it is at work. What it writes into its log
/// does not count: an InnoDB that hangs says so there every minute. Where the kernel does not tell us (a container without
/// the right to trace), the log is all there is, and a total limit holds.
struct ShutdownWatch: Sendable {
    let directory: TabletDirectory
    let logger: Logger

    private static let interval = Duration.seconds(1)
    private static let reportInterval = Duration.seconds(30)
    /// So many times the limit when only the log can be seen.
    private static let blindFactor = 6

    /// Returns when the server has done nothing for `limit`.
    /// - Throws: `CancellationError`.
    func standstill<C: Clock<Duration>>(of limit: Duration, on clock: C = ContinuousClock()) async throws {
        let asked = clock.now
        let process = serverProcess()
        var (signs, since, reported) = (signs(of: process), asked, asked)
        while since.duration(to: clock.now) < limit,
            !signs.isBlind || asked.duration(to: clock.now) < limit * Self.blindFactor
        {
            try await clock.sleep(for: min(Self.interval, limit))
            let now = self.signs(of: process)
            if now.showWork(since: signs) { since = clock.now }
            signs = now
            if reported.duration(to: clock.now) >= Self.reportInterval {
                reported = clock.now
                logger.info("mysqld is still stopping after \(asked.duration(to: clock.now).components.seconds)s")
            }
        }
    }

    private func serverProcess() -> Int32? {
        guard let bytes = try? FileTree.read(directory.pidFile, limit: 64) else { return nil }
        return Int32(String(decoding: bytes, as: UTF8.self).filter(\.isNumber))
    }

    /// What the process has read and written, as the kernel counts it; where it does not tell us, how long its log is.
    private func signs(of process: Int32?) -> Signs {
        let log = (try? FileTree.status(directory.errorLog))?.size ?? 0
        guard let process, let io = try? FileTree.read(FilePath("/proc/\(process)/io"), limit: 1 << 12) else {
            return Signs(written: log, isBlind: true)
        }
        var counters: [Substring: Int64] = [:]
        for line in String(decoding: io, as: UTF8.self).split(separator: "\n") {
            let fields = line.split { $0 == ":" || $0 == " " }
            if fields.count == 2 { counters[fields[0]] = Int64(fields[1]) }
        }
        // Bytes, not calls: a loop that waits makes calls too.
        return Signs(read: counters["read_bytes"] ?? 0, written: counters["write_bytes"] ?? 0, log: log)
    }

    private struct Signs {
        var read: Int64 = 0
        var written: Int64 = 0
        var log: Int64 = 0
        var isBlind = false

        func showWork(since before: Signs) -> Bool {
            let page: Int64 = 4096
            // The kernel counts whole pages as written, also for a line.
            let logged = log == before.log ? 0 : ((log - before.log) / page + 2) * page
            return read != before.read || written - before.written > logged
        }
    }
}
