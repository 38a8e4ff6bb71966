import Logging
import Streams
import SystemPackage

/// Tells a server that is busy with its shutdown from one that hangs.
///
/// Purging and flushing may take long; as long as the process reads or writes, or says something in its log, it is at work.
struct ShutdownWatch: Sendable {
    let directory: TabletDirectory
    let logger: Logger

    private static let interval = Duration.seconds(1)
    private static let reportInterval = Duration.seconds(30)

    /// Returns when the server has done nothing for `limit`.
    /// - Throws: `CancellationError`.
    func standstill(of limit: Duration) async throws {
        let clock = ContinuousClock()
        let asked = clock.now
        let process = serverProcess()
        var (signs, since, reported) = (signs(of: process), asked, asked)
        while clock.now - since < limit {
            try await clock.sleep(for: min(Self.interval, limit))
            let now = self.signs(of: process)
            if now != signs { (signs, since) = (now, clock.now) }
            if clock.now - reported >= Self.reportInterval {
                reported = clock.now
                logger.info("mysqld is still stopping after \((clock.now - asked).components.seconds)s")
            }
        }
    }

    private func serverProcess() -> Int32? {
        guard let bytes = try? FileTree.read(directory.pidFile, limit: 64) else { return nil }
        return Int32(String(decoding: bytes, as: UTF8.self).filter(\.isNumber))
    }

    /// What the process has read and written, as the kernel counts it, and how long its log is.
    private func signs(of process: Int32?) -> [String] {
        var signs = [String((try? FileTree.status(directory.errorLog))?.size ?? 0)]
        if let process, let io = try? FileTree.read(FilePath("/proc/\(process)/io"), limit: 1 << 12) {
            let counters = String(decoding: io, as: UTF8.self).split(separator: "\n")
            // Bytes, not calls: a loop that waits makes calls too.
            signs += counters.filter { $0.hasPrefix("read_bytes") || $0.hasPrefix("write_bytes") }.map(String.init)
        }
        return signs
    }
}
