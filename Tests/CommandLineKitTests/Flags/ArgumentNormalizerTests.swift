import ArgumentParser
import Testing

@testable import CommandLineKit

/// The rules of the command-line specification, 1.1, by number.
@Suite("Arguments: token grammar")
struct ArgumentNormalizerTests {
    private func tokens(_ arguments: String...) throws -> [String] {
        try TestFlags.normalizer.normalize(arguments).tokens
    }

    private func expectError(_ message: String, _ arguments: [String]) {
        let error = #expect(throws: UsageError.self) { try TestFlags.normalizer.normalize(arguments) }
        #expect(error?.message == message)
    }

    @Test("No arguments say nothing")
    func nothing() throws {
        #expect(try TestFlags.normalizer.normalize([]) == ArgumentNormalizer.Result())
    }

    @Test("1: left to right; the first error is the one that is told")
    func order() throws {
        #expect(
            try tokens("--port=1", "--engine=x", "--concurrency=2") == ["--port=1", "--engine=x", "--concurrency=2"]
        )
        expectError("unknown flag: --foo", ["--port=1", "--foo", "--bar"])
        expectError("unknown flag: --foo", ["stray", "--foo"])
        expectError("unknown flag: --foo", ["--port=1", "stray", "--foo"])
    }

    @Test("2: the value stands behind '=' or is the next token, whatever that looks like")
    func values() throws {
        #expect(try tokens("--port=33", "--init-keyspace", "commerce") == ["--port=33", "--init-keyspace=commerce"])
        #expect(try tokens("--init-keyspace", "--port") == ["--init-keyspace=--port"])
        #expect(try tokens("--init-keyspace", "--") == ["--init-keyspace=--"])
        #expect(try tokens("--init-keyspace", "") == ["--init-keyspace", ""])
        #expect(try tokens("--port", "-5") == ["--port=-5"])
        #expect(try tokens("--init-keyspace=a=b") == ["--init-keyspace=a=b"])
    }

    @Test("3: booleans never take the next token, and have no negative form")
    func booleans() throws {
        #expect(try tokens("--initial-backup", "--compress=false") == ["--initial-backup=true", "--compress=false"])
        expectError("unknown command \"false\" for \"vtbackup\"", ["--compress", "false"])
        expectError("unknown flag: --no-compress", ["--no-compress"])
    }

    @Test(
        "4: words for true and false",
        arguments: [("1 t T TRUE true True", true), ("0 f F FALSE false False", false)]
    )
    func booleanWords(_ words: String, _ value: Bool) throws {
        for word in words.split(separator: " ") { #expect(try tokens("--compress=\(word)") == ["--compress=\(value)"]) }
    }

    @Test("4: other words", arguments: ["", "yes", "tRUE", "2", " true", "on"])
    func notBoolean(_ word: String) {
        expectError(
            "invalid argument \"\(word)\" for \"--compress\" flag: strconv.ParseBool: parsing \"\(word)\": invalid syntax",
            ["--compress=\(word)"]
        )
    }

    @Test("5: behind '--' everything is positional")
    func doubleDash() throws {
        #expect(try tokens("--port=1", "--") == ["--port=1"])
        expectError("unknown command \"--port=1\" for \"vtbackup\"", ["--", "--port=1"])
        expectError("unknown command \"-h\" for \"vtbackup\"", ["--", "-h"])
    }

    @Test("6: positionals", arguments: ["-", "", "backup", "help", "a=b", " --port=1"])
    func positionals(_ token: String) {
        expectError("unknown command \"\(token)\" for \"vtbackup\"", [token])
        expectError("unknown command \"\(token)\" for \"vtbackup\"", ["--port=1", token, "second"])
    }

    @Test(
        "7: one dash opens a cluster of one-letter flags; only -h and -v exist",
        arguments: [
            (["-port=1"], "unknown shorthand flag: 'p' in -port=1"),
            (["-help"], "unknown shorthand flag: 'e' in -elp"),
            (["-hx"], "unknown shorthand flag: 'x' in -x"),
            (["-xyz"], "unknown shorthand flag: 'x' in -xyz"),
            (
                ["-v=2"],
                "invalid argument \"2\" for \"-v, --version\" flag: strconv.ParseBool: parsing \"2\": invalid syntax"
            ),
            (
                ["-hv=no"],
                "invalid argument \"no\" for \"-v, --version\" flag: strconv.ParseBool: parsing \"no\": invalid syntax"
            ),
            (
                ["-h=x"],
                "invalid argument \"x\" for \"-h, --help\" flag: strconv.ParseBool: parsing \"x\": invalid syntax"
            ),
        ]
    )
    func clusters(_ arguments: [String], _ message: String) {
        expectError(message, arguments)
    }

    @Test("7: verbosity is the long flag --v")
    func verbosity() throws {
        let result = try TestFlags.normalizer.normalize(["--v=2"])
        #expect(result.tokens == ["--v=2"])
        #expect(!result.version)
    }

    @Test("8: bad syntax", arguments: ["---x", "---", "--=x", "--="])
    func badSyntax(_ token: String) {
        expectError("bad flag syntax: \(token)", [token])
    }

    @Test("9: of a scalar the last value counts")
    func repeatedScalars() throws {
        let result = try TestFlags.normalizer.normalize(["--port=1", "--engine=a", "--port=2", "--engine", "b"])
        #expect(result.tokens == ["--port=2", "--engine=b"])
        #expect(result.given == ["port", "engine"])
        #expect(try tokens("--compress", "--compress=0") == ["--compress=false"])
    }

    @Test("9: lists grow")
    func repeatedLists() throws {
        #expect(try tokens("--queries=a,b", "--queries", "c") == ["--queries=a", "--queries=b", "--queries=c"])
        #expect(try tokens("--queries=a", "--port=1", "--queries=b") == ["--queries=a", "--queries=b", "--port=1"])
    }

    @Test("9: the list of tablet types is replaced instead")
    func tabletTypes() throws {
        let replaced = try tokens("--init-backup-tablet-types=replica,spare", "--init_backup_tablet_types=backup")
        #expect(replaced == ["--init-backup-tablet-types=backup"])
    }

    @Test("10: an empty value is an empty text or list")
    func emptyValues() throws {
        #expect(try tokens("--init-keyspace=") == ["--init-keyspace", ""])
        let result = try TestFlags.normalizer.normalize(["--queries="])
        #expect(result.tokens == [])
        #expect(result.given == ["queries"])
    }

    @Test(
        "10: but no number, duration or boolean",
        arguments: [
            ("port", "strconv.ParseInt: parsing \"\": invalid syntax"),
            ("buffer-size", "strconv.ParseUint: parsing \"\": invalid syntax"),
            ("mysql-timeout", "time: invalid duration \"\""),
            ("compress", "strconv.ParseBool: parsing \"\": invalid syntax"),
        ]
    )
    func emptyValueErrors(_ name: String, _ cause: String) {
        expectError("invalid argument \"\" for \"--\(name)\" flag: \(cause)", ["--\(name)="])
    }

    // MARK: 1.3, message shapes

    @Test("An unknown flag is shown as typed, without its value")
    func unknown() {
        expectError("unknown flag: --foo", ["--foo=bar"])
        expectError("unknown flag: --Port", ["--Port=1"])
        expectError("unknown flag: --por", ["--por=1"])
    }

    @Test("A value that is missing at the end of the line")
    func missingValue() {
        expectError("flag needs an argument: --port", ["--compress", "--port"])
        expectError("flag needs an argument: --queries", ["--queries"])
    }

    @Test("A bad value, in either position")
    func badValue() {
        let message = "invalid argument \"x\" for \"--port\" flag: strconv.ParseInt: parsing \"x\": invalid syntax"
        expectError(message, ["--port=x"])
        expectError(message, ["--port", "x"])
    }

    @Test("What was given is known by its dashed name, so that a default can be told from a choice")
    func given() throws {
        #expect(
            try TestFlags.normalizer.normalize(["--init_keyspace=", "--port", "0"]).given == ["init-keyspace", "port"]
        )
    }

    @Test("The parser behind reads the tokens as they are meant")
    func parses() throws {
        let arguments = [
            "--port", "-5", "--queries=\"a,b\",--c", "--init-keyspace", "--port", "--mysql_timeout=1.5h",
            "--compress=F",
        ]
        let flags = try TestFlags.parse(TestFlags.normalizer.normalize(arguments).tokens)
        #expect(flags.policy.port == -5)
        #expect(flags.policy.queries == ["a,b", "--c"])
        #expect(flags.policy.initKeyspace == "--port")
        #expect(flags.policy.mysqlTimeout == .seconds(5_400))
        #expect(!flags.policy.compress)
        #expect(flags.policy.concurrency == 4)
        #expect(flags.policy.configPath == ["/etc", "/a b"])
    }
}
