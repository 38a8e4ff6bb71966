import Testing

@testable import CommandLineKit

@Suite("Help")
struct HelpTextTests {
    private let help = HelpText(
        program: "vtbackup",
        introduction: "vtbackup does one thing.\n\nIt exits.",
        table: TestFlags.table
    )

    /// Six spaces and the name (two and both forms for -h and -v), the type word, the help three columns behind the
    /// longest left part; sorted by bytes, so that `-` comes before `_`; defaults that are not zero.
    private let usage = """
        Usage:
          vtbackup [flags]

        Flags:
              --buffer-size uint                   Bytes of a buffer. (default 2097152)
              --compress                           Compress files. (default true)
              --concurrency int                    How many at once. (default 4)
              --config-path strings                Folders to search. (default [/etc,/a b])
              --engine string                      Name of the engine. (default "builtin")
          -h, --help                               help for vtbackup
              --init-backup-tablet-types strings   Types to run for.
              --init-keyspace string               Keyspace of the shard.
              --initial-backup                     Seed an empty shard.
              --log-rotate-max-size uint           Bytes of a log file. (default 1887436800)
              --log_backtrace_at traceLocations    Where a stack trace is logged.
              --log_dir string                     Folder for logs.
              --min-backup-interval duration       Time between backups.
              --mysql-timeout duration             Time for mysqld to start. (default 5m0s)
              --port int                           Port of the server.
              --queries strings                    Queries to run.
              --shell-flags string                 Flags for the shell. (default "--js \\"quoted\\" C:\\\\x")
              --stderrthreshold severityFlag       Lines from here on go to stderr. (default 1)
              --v Level                            Log level.
          -v, --version                            print binary version

        """

    @Test("Usage, to the letter")
    func usageBlock() {
        #expect(help.usage == usage)
    }

    @Test("Help is the introduction, a blank line and the usage")
    func text() {
        #expect(help.text == "vtbackup does one thing.\n\nIt exits.\n\n" + usage)
    }

    @Test("Another program's name")
    func program() {
        let other = HelpText(program: "vtctld", introduction: "", table: TestFlags.table).usage
        #expect(other.hasPrefix("Usage:\n  vtctld [flags]\n\nFlags:\n"))
        #expect(other.contains("  -h, --help                               help for vtctld\n"))
    }
}
