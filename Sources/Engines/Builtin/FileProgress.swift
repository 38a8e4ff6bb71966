import Logging
import Synchronization

/// Follows one attempt to copy a file: feeds the meter, and logs a line now and then for a large file.
final class FileProgress: Sendable {
    private let file: SelectedFile
    private let attempt: Int
    private let interval: Duration
    private let meter: TransferMeter
    private let logger: Logger
    private let state: Mutex<(bytes: Int64, lastLine: ContinuousClock.Instant)>

    init(file: SelectedFile, attempt: Int, interval: Duration, meter: TransferMeter, logger: Logger) {
        (self.file, self.attempt, self.interval, self.meter, self.logger) = (file, attempt, interval, meter, logger)
        state = Mutex((0, ContinuousClock.now))
    }

    /// Bytes of the file that have been copied.
    var bytes: Int64 { state.withLock { $0.bytes } }

    func passed(_ count: Int64) {
        meter.add(bytes: count)
        let line = state.withLock { state -> Int64? in
            state.bytes += count
            let now = ContinuousClock.now
            guard now - state.lastLine >= interval else { return nil }
            state.lastLine = now
            return state.bytes
        }
        guard let done = line else { return }
        let percent = file.size > 0 ? hundredths(done * 10_000 / file.size) + "% " : ""
        logger.info(
            "backing up \"\(file.name)\" (attempt \(attempt)/2): \(percent)(\(hundredths(done * 100 / 1024))/\(hundredths(file.size * 100 / 1024))kb)"
        )
    }

    /// The attempt failed: its bytes do not count.
    func discard() {
        meter.add(bytes: -state.withLock { $0.bytes })
    }

    private func hundredths(_ value: Int64) -> String {
        let rest = value % 100
        return "\(value / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}
