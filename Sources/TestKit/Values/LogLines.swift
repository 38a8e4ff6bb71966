package import Logging
import Synchronization

/// What was logged, for tests that look at it.
package final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    /// Creates an empty log.
    package init() {}

    /// All lines so far.
    package var all: [String] { lines.withLock { $0 } }

    /// Writes here.
    package var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

    private struct Handler: LogHandler {
        let log: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { log.lines.withLock { $0.append("\(event.level) \(event.message)") } }
    }
}
