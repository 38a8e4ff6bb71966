import ArgumentParser
package import Observability

/// Where log lines go (command-line specification 3.14).
package struct LogOptions: ParsableArguments {
    @Option(name: .customLong("logtostderr"), help: ArgumentHelp("Log to stderr instead of files.", valueName: "bool"))
    package var logToStandardError = false

    @Option(
        name: .customLong("alsologtostderr"),
        help: ArgumentHelp("Log to stderr as well as to files.", valueName: "bool")
    )
    package var alsoLogToStandardError = false

    @Option(
        name: .customLong("stderrthreshold"),
        help: ArgumentHelp(
            "Lines of at least this severity go to stderr as well: 0 to 3, or INFO, WARNING, ERROR, FATAL.",
            valueName: "severityFlag"
        )
    )
    package var standardErrorThreshold = 1

    @Option(
        name: .customLong("log_dir"),
        help: ArgumentHelp("Folder for log files; by default the one for temporary files.", valueName: "string")
    )
    package var logFolder = ""

    /// Creates the group.
    package init() {}

    /// The sink's configuration.
    package var configuration: LogSink.Configuration {
        var configuration = LogSink.Configuration()
        configuration.toStandardErrorOnly = logToStandardError
        configuration.alsoToStandardError = alsoLogToStandardError
        configuration.threshold = LogSeverity(rawValue: standardErrorThreshold) ?? .warning
        configuration.folder = logFolder
        return configuration
    }
}
