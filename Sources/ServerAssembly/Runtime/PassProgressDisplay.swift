import Concurrency
import Engines
import Observability
import Workflows

/// Shows a pass to a person at a terminal: a line that moves, and one that stays for each phase.
struct PassProgressDisplay: Sendable {
    let sink: LogSink
    let progress: PassProgress

    /// Runs `body`, and shows its progress where there is a terminal.
    static func during<Result: Sendable>(
        _ sink: LogSink,
        _ body: @escaping @Sendable (PassProgress) async throws -> Result
    ) async throws -> Result {
        let progress = PassProgress()
        guard sink.isTerminal else { return try await body(progress) }
        return try await withHelpers([{ await PassProgressDisplay(sink: sink, progress: progress).run() }]) {
            try await body(progress)
        }
    }

    /// Redraws until cancelled.
    func run() async {
        var last: PassProgress.Reading?
        while !Task.isCancelled {
            let reading = progress.reading
            if let ended = last, ended.since != reading?.since {
                sink.showStatus("")
                finish(ended)
            }
            sink.showStatus(reading.map { line($0).text } ?? "")
            last = reading
            try? await Task.sleep(for: .milliseconds(100))
        }
        sink.showStatus("")
        if let last { finish(last) }
    }

    private func finish(_ reading: PassProgress.Reading) {
        var line = line(reading)
        line.name = "✓ " + line.name
        sink.printLine(line.text)
    }

    private func line(_ reading: PassProgress.Reading) -> ProgressLine {
        let elapsed = (ContinuousClock.now - reading.since) / .seconds(1)
        var line = ProgressLine(name: title(reading.phase), elapsed: elapsed)
        if let transfer = reading.transfer?.reading {
            (line.done, line.total) = (transfer.bytes, transfer.totalBytes)
            line.detail = "\(transfer.files) of \(transfer.totalFiles) files"
        } else if let (remaining, total) = reading.transactions {
            line.unit = .transactions
            (line.done, line.total) = (total - remaining, total)
        } else {
            line.unit = .nothing
        }
        return line
    }

    private func title(_ phase: PassProgress.Phase) -> String {
        switch phase {
        case .restoreLastBackup: "restore"
        case .catchupReplication: "catch up"
        case .takeNewBackup: "back up"
        case .initialBackup: "initialise"
        case .verify: "verify"
        case .prune: "prune"
        }
    }
}
