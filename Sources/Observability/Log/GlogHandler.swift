package import Logging

/// Sends a logger's lines to a sink.
///
/// Metadata follows the message as `key=value`.
package struct GlogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level = .info
    private let sink: LogSink

    /// Logs to `sink`.
    package init(sink: LogSink) {
        self.sink = sink
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var text = event.message.description
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) { text += " \(key)=\(value)" }
        if let error = event.error { text += ": \(error)" }
        sink.write(severity(event.level), text, file: event.file, line: event.line)
    }

    private func severity(_ level: Logger.Level) -> LogSeverity {
        switch level {
        case .trace, .debug, .info, .notice: .info
        case .warning: .warning
        case .error: .error
        case .critical: .fatal
        }
    }
}
