import ArgumentParser
import CommandLineKit

/// A small program's flags: every type, with and without a default.
struct TestFlags: ParsableArguments {
    @OptionGroup var policy: PolicyFlags
    @OptionGroup var log: LogFlags

    static let table = FlagTable(TestFlags.self)
    static let normalizer = ArgumentNormalizer(table: table, program: "vtbackup")
}

struct PolicyFlags: ParsableArguments {
    @Option(help: ArgumentHelp("How many at once.", valueName: "int"))
    var concurrency = 4

    @Option(help: ArgumentHelp("Port of the server.", valueName: "int"))
    var port = 0

    @Option(help: ArgumentHelp("Bytes of a buffer.", valueName: "uint"))
    var bufferSize = 2_097_152

    @Option(help: ArgumentHelp("Seed an empty shard.", valueName: "bool"))
    var initialBackup = false

    @Option(help: ArgumentHelp("Compress files.", valueName: "bool"))
    var compress = true

    @Option(help: ArgumentHelp("Time between backups.", valueName: "duration"))
    var minBackupInterval = GoDurationValue.seconds(0)

    @Option(help: ArgumentHelp("Time for mysqld to start.", valueName: "duration"))
    var mysqlTimeout = GoDurationValue.seconds(300)

    @Option(help: ArgumentHelp("Keyspace of the shard.", valueName: "string"))
    var initKeyspace = ""

    @Option(help: ArgumentHelp("Name of the engine.", valueName: "string"))
    var engine = "builtin"

    @Option(help: ArgumentHelp("Flags for the shell.", valueName: "string"))
    var shellFlags = "--js \"quoted\" C:\\x"

    @Option(help: ArgumentHelp("Queries to run.", valueName: "strings"))
    var queries: [String] = []

    @Option(help: ArgumentHelp("Folders to search.", valueName: "strings"))
    var configPath: [String] = ["/etc", "/a b"]

    @Option(
        name: .customLong("init-backup-tablet-types"),
        help: ArgumentHelp("Types to run for.", valueName: "strings")
    )
    var tabletTypes: [String] = []
}

struct LogFlags: ParsableArguments {
    @Option(
        name: .customLong("stderrthreshold"),
        help: ArgumentHelp("Lines from here on go to stderr.", valueName: "severityFlag")
    )
    var threshold = 1

    @Option(name: .customLong("log-rotate-max-size"), help: ArgumentHelp("Bytes of a log file.", valueName: "uint"))
    var rotation = 1_887_436_800

    @Option(name: .customLong("log_dir"), help: ArgumentHelp("Folder for logs.", valueName: "string"))
    var directory = ""

    @Option(
        name: .customLong("log_backtrace_at"),
        help: ArgumentHelp("Where a stack trace is logged.", valueName: "traceLocations")
    )
    var backtrace = ""

    @Option(name: .customLong("v"), help: ArgumentHelp("Log level.", valueName: "Level"))
    var level = ""
}
