import Testing

@testable import CommandLineKit

/// Underscores (command-line specification 1.4), help and version (1.5).
@Suite("Arguments: names, help, version")
struct ArgumentNormalizerNamesTests {
    private func normalize(_ arguments: String...) throws -> ArgumentNormalizer.Result {
        try TestFlags.normalizer.normalize(arguments)
    }

    private func error(_ arguments: String...) throws -> UsageError {
        try #require(throws: UsageError.self) { try TestFlags.normalizer.normalize(arguments) }
    }

    // MARK: 1.4

    @Test("Underscores become dashes, with one notice a name")
    func underscores() throws {
        let result = try normalize("--init_keyspace=a", "--init_keyspace", "b", "--min_backup_interval=1h", "--port=1")
        #expect(result.tokens == ["--init-keyspace=b", "--min-backup-interval=1h", "--port=1"])
        #expect(
            result.notices == [
                "Flag --init_keyspace has been deprecated, use --init-keyspace instead ",
                "Flag --min_backup_interval has been deprecated, use --min-backup-interval instead ",
            ]
        )
    }

    @Test("Only the name is changed, not the value")
    func value() throws {
        #expect(try normalize("--init_keyspace=a_b").tokens == ["--init-keyspace=a_b"])
        #expect(try normalize("--init-keyspace", "--a_b").notices == [])
    }

    @Test("A name with both is left alone, and so is unknown")
    func mixed() throws {
        let mixed = try error("--init_keyspace-x=1")
        #expect(mixed.message == "unknown flag: --init_keyspace-x")
        #expect(mixed.notices == [])
        #expect(try error("--min-backup_interval=1h").message == "unknown flag: --min-backup_interval")
    }

    @Test("Two flags keep their underscores, and have no dashed form")
    func kept() throws {
        let result = try normalize("--log_dir=/tmp", "--log_backtrace_at", "a:1")
        #expect(result.tokens == ["--log_dir=/tmp", "--log_backtrace_at=a:1"])
        #expect(result.notices == [])
        #expect(try error("--log-dir=/tmp").message == "unknown flag: --log-dir")
        #expect(try error("--log-backtrace-at=a:1").message == "unknown flag: --log-backtrace-at")
        let unregistered = try error("--log_link=/tmp")
        #expect(unregistered.message == "unknown flag: --log_link")
        #expect(unregistered.notices == [])
    }

    @Test("The notice comes even if the name is unknown; the error shows the name as typed")
    func unknown() throws {
        let unknown = try error("--init_keyspace=a", "--foo_bar")
        #expect(unknown.message == "unknown flag: --foo_bar")
        #expect(
            unknown.notices == [
                "Flag --init_keyspace has been deprecated, use --init-keyspace instead ",
                "Flag --foo_bar has been deprecated, use --foo-bar instead ",
            ]
        )
    }

    @Test("The notices stay with every other error too, and are no part of the message")
    func noticesWithErrors() throws {
        for arguments in [["--init_keyspace=a", "stray"], ["--init_keyspace"], ["--init_keyspace=a", "-x"]] {
            let error = try #require(throws: UsageError.self) { try TestFlags.normalizer.normalize(arguments) }
            #expect(error.notices == ["Flag --init_keyspace has been deprecated, use --init-keyspace instead "])
            #expect(!"\(error)".contains("deprecated"))
        }
    }

    @Test("A bad value is told with the dashed name")
    func badValue() throws {
        #expect(
            try error("--min_backup_interval=1d").message
                == "invalid argument \"1d\" for \"--min-backup-interval\" flag: time: unknown unit \"d\" in duration \"1d\""
        )
    }

    // MARK: 1.5

    @Test("Both forms, alone and in a cluster")
    func helpAndVersion() throws {
        #expect(try normalize("-h").help)
        #expect(try normalize("--help").help)
        #expect(try normalize("-v").version)
        #expect(try normalize("--version").version)
        let both = try normalize("-hv")
        #expect(both.help && both.version)
        #expect(try normalize("-vh") == both)
        #expect(try !normalize("--port=1").help)
    }

    @Test("They are booleans; the last one counts")
    func values() throws {
        #expect(try !normalize("-h=false").help)
        #expect(try normalize("-h=T").help)
        #expect(try !normalize("--help", "--help=0").help)
        #expect(try !normalize("-v=1", "--version=f").version)
        #expect(
            try error("--version=x").message
                == "invalid argument \"x\" for \"-v, --version\" flag: strconv.ParseBool: parsing \"x\": invalid syntax"
        )
    }

    @Test("They are no flags of the parser behind")
    func tokens() throws {
        let result = try normalize("--port=1", "-h", "--version")
        #expect(result.tokens == ["--port=1"])
        #expect(result.given == ["port"])
    }

    @Test("A parse error wins over both, before and behind")
    func errorsWin() throws {
        #expect(try error("-h", "--foo").message == "unknown flag: --foo")
        #expect(try error("--port=x", "--help").message.hasPrefix("invalid argument \"x\""))
        #expect(try error("--version", "--port").message == "flag needs an argument: --port")
        #expect(try error("-h", "-x").message == "unknown shorthand flag: 'x' in -x")
    }

    @Test("Both win over a positional argument, unless switched off")
    func positionals() throws {
        #expect(try normalize("stray", "-h").help)
        #expect(try normalize("--version", "stray").version)
        #expect(try error("stray", "--help=false").message == "unknown command \"stray\" for \"vtbackup\"")
    }
}
