import Testing

@testable import Positions

@Suite("GTID sets: texts that are none")
struct GTIDSetTextErrorsTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var input: String
        var cause: String
        var testDescription: String { input }

        init(_ input: String, _ cause: String) {
            (self.input, self.cause) = (Sample.text(input), Sample.text(cause))
        }
    }

    @Test(
        "The message has the whole text and the cause",
        arguments: [
            Case("U", "expected uuid:interval"),
            Case("x", "expected uuid:interval"),
            Case("U:1,x", "expected uuid:interval"),
            Case(":1", "invalid MySQL 5.6 SID \"\""),
            Case("abc:1", "invalid MySQL 5.6 SID \"abc\""),
            Case("16b1039f22b611edb7650a43f95f28a3:1", "invalid MySQL 5.6 SID \"16b1039f22b611edb7650a43f95f28a3\""),
            Case("U:0-5", "invalid interval (\"0-5\"): start must be > 0"),
            Case("U:0", "invalid interval (\"0\"): start must be > 0"),
            Case("U:-5", "invalid interval (\"-5\"): strconv.ParseInt: parsing \"\": invalid syntax"),
            Case("U:1-", "invalid interval (\"1-\"): strconv.ParseInt: parsing \"\": invalid syntax"),
            Case("U:1-2-3", "invalid interval (\"1-2-3\"): strconv.ParseInt: parsing \"2-3\": invalid syntax"),
            Case("U:+1", "invalid interval (\"+1\"): strconv.ParseInt: parsing \"+1\": invalid syntax"),
            Case("U:1 2", "invalid interval (\"1 2\"): strconv.ParseInt: parsing \"1 2\": invalid syntax"),
            Case("U:1::2", "invalid interval (\"\"): strconv.ParseInt: parsing \"\": invalid syntax"),
            Case("U:1:", "invalid interval (\"\"): strconv.ParseInt: parsing \"\": invalid syntax"),
            Case("U:0x10", "invalid interval (\"0x10\"): strconv.ParseInt: parsing \"0x10\": invalid syntax"),
            Case(
                "U:9223372036854775807",
                "invalid interval (\"9223372036854775807\"): strconv.ParseInt: parsing \"9223372036854775807\": value out of range"
            ),
            Case(
                "U:1-99999999999999999999",
                "invalid interval (\"1-99999999999999999999\"): strconv.ParseInt: parsing \"99999999999999999999\": value out of range"
            ),
            Case("U:1b:1", "invalid interval (\"1b\"): strconv.ParseInt: parsing \"1b\": invalid syntax"),
            Case("U:a-b:1", "invalid interval (\"a-b\"): strconv.ParseInt: parsing \"a\": invalid syntax"),
            Case("U:é:1", "invalid interval (\"é\"): strconv.ParseInt: parsing \"é\": invalid syntax"),
            Case(
                "U:t23456789012345678901234567890123:1",
                "invalid interval (\"t23456789012345678901234567890123\"): strconv.ParseInt: parsing \"t23456789012345678901234567890123\": invalid syntax"
            ),
        ]
    )
    func refused(_ sample: Case) {
        let expected = "invalid MySQL 5.6 GTID set (\"\(sample.input)\"): \(sample.cause)"
        #expect(throws: PositionError(expected)) { try GTIDSet(sample.input) }
    }

    @Test("A long text is cut in the message")
    func longText() throws {
        let text = Sample.u + ":" + (1...10_000).map { String($0 * 2) }.joined(separator: ":") + ":x y"
        let error = try #require(throws: PositionError.self) { try GTIDSet(text) }
        #expect(error.message.utf8.count < 400)
        #expect(
            error.message.hasSuffix(
                "…\"): invalid interval (\"x y\"): strconv.ParseInt: parsing \"x y\": invalid syntax"
            )
        )
    }
}
