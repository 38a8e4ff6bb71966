import ArgumentParser
import Testing

@testable import CommandLineKit

@Suite("The table of flags, read back from their declarations")
struct FlagTableTests {
    private let flags = TestFlags.table.flags

    @Test("Flags of all groups, by their long name, without the parser's own")
    func names() {
        #expect(
            flags.keys.sorted() == [
                "buffer-size", "compress", "concurrency", "config-path", "engine", "init-backup-tablet-types",
                "init-keyspace",
                "initial-backup", "log-rotate-max-size", "log_backtrace_at", "log_dir", "min-backup-interval",
                "mysql-timeout",
                "port", "queries", "shell-flags", "stderrthreshold", "v",
            ]
        )
        #expect(flags.allSatisfy { $0.key == $0.value.name })
    }

    @Test("Type, help and default")
    func specification() {
        #expect(
            flags["concurrency"]
                == FlagSpecification(
                    name: "concurrency",
                    type: "int",
                    help: "How many at once.",
                    defaultValue: "4",
                    isList: false
                )
        )
        #expect(flags["compress"]?.type == "bool")
        #expect(flags["compress"]?.defaultValue == "true")
        #expect(flags["engine"]?.defaultValue == "builtin")
        #expect(flags["log_backtrace_at"]?.type == "traceLocations")
    }

    @Test("Durations default to their Go text")
    func durations() {
        #expect(flags["mysql-timeout"]?.defaultValue == "5m0s")
        #expect(flags["min-backup-interval"]?.defaultValue == "0s")
    }

    @Test("Lists are lists")
    func lists() {
        #expect(
            flags.values.filter(\.isList).map(\.name).sorted() == [
                "config-path", "init-backup-tablet-types", "queries",
            ]
        )
        #expect(flags["queries"]?.type == "strings")
    }

    @Test("A flag without a type word is a string")
    func noTypeWord() {
        struct Bare: ParsableArguments {
            @Option var name: String?
        }
        let flag = FlagTable(Bare.self).flags["name"]
        #expect(flag?.help == "")
        #expect(flag?.defaultValue == nil)
    }
}
