import Testing

@testable import CommandLineKit

@Suite("Values of flags")
struct FlagValueTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var type: String
        var text: String
        var expected: String
        var testDescription: String { "\(type) \"\(text)\"" }

        init(_ type: String, _ text: String, _ expected: String) {
            (self.type, self.text, self.expected) = (type, text, expected)
        }
    }

    private func parse(_ sample: Case) throws(UsageError) -> [String] {
        let flag = FlagSpecification(
            name: "x",
            type: sample.type,
            help: "",
            defaultValue: nil,
            isList: sample.type == "strings"
        )
        return try FlagValue.parse(sample.text, of: flag)
    }

    @Test(
        "Numbers become decimal: base prefixes, octal zero, underscores between digits",
        arguments: [
            Case("int", "10", "10"), Case("int", "-10", "-10"), Case("int", "+10", "10"), Case("int", "0", "0"),
            Case("int", "-0", "0"), Case("int", "0x1F", "31"), Case("int", "0XfF", "255"), Case("int", "-0x10", "-16"),
            Case("int", "0b101", "5"), Case("int", "0B1", "1"), Case("int", "0o17", "15"), Case("int", "0O7", "7"),
            Case("int", "017", "15"), Case("int", "00", "0"), Case("int", "1_000", "1000"),
            Case("int", "1_0_0", "100"), Case("int", "0x_1F", "31"), Case("int", "0_17", "15"),
            Case("int", "0b1_0", "2"),
            Case("int", "9223372036854775807", "9223372036854775807"),
            Case("int", "-9223372036854775808", "-9223372036854775808"),
            Case("int", "0x7fffffffffffffff", "9223372036854775807"),
            Case("uint", "10", "10"), Case("uint", "0x10", "16"), Case("uint", "0", "0"), Case("uint", "1_0", "10"),
        ]
    )
    func numbers(_ sample: Case) throws {
        #expect(try parse(sample) == [sample.expected])
    }

    @Test(
        "What is no number",
        arguments: [
            "abc", "", " 1", "1 ", "1.5", "0.5", "1e3", "--1", "+-1", "-", "+", "0x", "0b", "0o", "0x_", "_1", "1_",
            "1__0", "0__1",
            "0_", "08", "0b2", "0o8", "0xg", "0z5", "0a7", "0 5", "1k", "٣", "５", "0-5", "1,000",
        ]
    )
    func notInt(_ text: String) {
        expectError("int", text, "strconv.ParseInt: parsing \"\(text)\": invalid syntax")
    }

    @Test("An unsigned number has no sign", arguments: ["-1", "+1", "-0", "x", "0.5", "0z5"])
    func notUint(_ text: String) {
        expectError("uint", text, "strconv.ParseUint: parsing \"\(text)\": invalid syntax")
    }

    @Test(
        "Numbers have 64 bits",
        arguments: [
            Case("int", "9223372036854775808", "ParseInt"), Case("int", "-9223372036854775809", "ParseInt"),
            Case("int", "0x8000000000000000", "ParseInt"), Case("int", "99999999999999999999999", "ParseInt"),
            Case("uint", "18446744073709551616", "ParseUint"),
        ]
    )
    func outOfRange(_ sample: Case) {
        expectError(
            sample.type,
            sample.text,
            "strconv.\(sample.expected): parsing \"\(sample.text)\": value out of range"
        )
    }

    @Test(
        "Durations are checked and passed on as they are",
        arguments: ["0", "1h30m", "1.5h", "250ms", "-5s", "1µs", "+3ns"]
    )
    func durations(_ text: String) throws {
        #expect(try parse(Case("duration", text, "")) == [text])
    }

    @Test(
        "What is no duration",
        arguments: [
            Case("duration", "10", "time: missing unit in duration \"10\""),
            Case("duration", "1d", "time: unknown unit \"d\" in duration \"1d\""),
            Case("duration", "abc", "time: invalid duration \"abc\""),
        ]
    )
    func notDuration(_ sample: Case) {
        expectError(sample.type, sample.text, sample.expected)
    }

    @Test(
        "Severities: 0 to 3, or their names in any case",
        arguments: [
            Case("severityFlag", "0", "0"), Case("severityFlag", "3", "3"), Case("severityFlag", "INFO", "0"),
            Case("severityFlag", "warning", "1"), Case("severityFlag", "Error", "2"),
            Case("severityFlag", "FATAL", "3"),
        ]
    )
    func severities(_ sample: Case) throws {
        #expect(try parse(sample) == [sample.expected])
    }

    @Test(
        "What is no severity",
        arguments: [
            Case("severityFlag", "x", "strconv.Atoi: parsing \"x\": invalid syntax"),
            Case("severityFlag", "", "strconv.Atoi: parsing \"\": invalid syntax"),
            Case("severityFlag", "0x1", "strconv.Atoi: parsing \"0x1\": invalid syntax"),
            Case("severityFlag", "9", "Severity 9 out of range (min 0, max 3)."),
            Case("severityFlag", "-1", "Severity -1 out of range (min 0, max 3)."),
        ]
    )
    func notSeverity(_ sample: Case) {
        expectError(sample.type, sample.text, sample.expected)
    }

    @Test(
        "Texts, and types that are checked elsewhere, are anything",
        arguments: ["", "a b", "\"", "--x=1", "é\n", "0x"]
    )
    func texts(_ text: String) throws {
        #expect(try parse(Case("string", text, "")) == [text])
        #expect(try parse(Case("SslMode", text, "")) == [text])
    }

    @Test("A list is any number of values, or an error of its own")
    func lists() throws {
        #expect(try parse(Case("strings", "a,\"b,c\"", "")) == ["a", "b,c"])
        #expect(try parse(Case("strings", "", "")) == [])
        expectError("strings", "a\"b", "parse error on line 1, column 2: bare \" in non-quoted field")
    }

    private func expectError(_ type: String, _ text: String, _ cause: String) {
        let error = #expect(throws: UsageError.self) { try parse(Case(type, text, "")) }
        #expect(error?.message == "invalid argument \"\(text)\" for \"--x\" flag: \(cause)")
    }
}
