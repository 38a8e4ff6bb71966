import Testing

@testable import Vocabulary

@Suite("Go durations")
struct GoDurationTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var text: String
        var nanoseconds: Int64
        var testDescription: String { "\"\(text)\"" }

        init(_ text: String, _ nanoseconds: Int64) {
            (self.text, self.nanoseconds) = (text, nanoseconds)
        }
    }

    @Test(
        "Print, and parse what was printed",
        arguments: [
            Case("0s", 0),
            Case("1ns", 1),
            Case("999ns", 999),
            Case("1µs", 1_000),
            Case("1.1µs", 1_100),
            Case("999.999µs", 999_999),
            Case("1ms", 1_000_000),
            Case("2.2ms", 2_200_000),
            Case("250ms", 250_000_000),
            Case("999.999999ms", 999_999_999),
            Case("1s", 1_000_000_000),
            Case("3.003s", 3_003_000_000),
            Case("10s", 10_000_000_000),
            Case("59.999999999s", 59_999_999_999),
            Case("1m0s", 60_000_000_000),
            Case("1m30.5s", 90_500_000_000),
            Case("10m0s", 600_000_000_000),
            Case("1h0m0s", 3_600_000_000_000),
            Case("24h0m0s", 86_400_000_000_000),
            Case("5h6m7.001s", 18_367_001_000_000),
            Case("-5s", -5_000_000_000),
            Case("-1h0m0.5s", -3_600_500_000_000),
            Case("2562047h47m16.854775807s", .max),
        ]
    )
    func prints(_ sample: Case) throws {
        #expect(GoDuration.text(nanoseconds: sample.nanoseconds) == sample.text)
        #expect(try GoDuration.parse(sample.text) == sample.nanoseconds)
    }

    @Test("The lowest number prints too")
    func lowest() {
        #expect(GoDuration.text(nanoseconds: .min) == "-2562047h47m16.854775808s")
    }

    @Test(
        "Parse",
        arguments: [
            Case("0", 0), Case("+0", 0), Case("-0", 0),
            Case("+5s", 5_000_000_000),
            Case("1.5h", 5_400_000_000_000),
            Case("1h30m", 5_400_000_000_000),
            Case("90m", 5_400_000_000_000),
            Case("30m1h", 5_400_000_000_000),
            Case(".5s", 500_000_000),
            Case("1.s", 1_000_000_000),
            Case("1us", 1_000), Case("1µs", 1_000), Case("1μs", 1_000),
            Case("0.5ns", 0),
            Case("-1.5h2m", -5_520_000_000_000),
            Case("0.29h", 1_044_000_000_000),
            Case("0.57m", 34_200_000_000),
            Case("1.0000000000000000000000000001s", 1_000_000_000),
            Case("0.25000000000000000000000h", 900_000_000_000),
        ]
    )
    func parses(_ sample: Case) throws {
        #expect(try GoDuration.parse(sample.text) == sample.nanoseconds)
    }

    @Test("Fractions of every unit are exact to the nanosecond", arguments: ["s", "m", "h"])
    func fractions(unit: String) throws {
        let scale: Int64 = ["s": 1_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000][unit] ?? 0
        let wrong = try (0..<1_000 as Range<Int64>).filter { thousandths in
            let digits = String(1_000 + thousandths).dropFirst()
            return try GoDuration.parse("0.\(digits)\(unit)") != scale / 1_000 * thousandths
        }
        #expect(wrong.isEmpty)
    }

    struct Failure: CustomTestStringConvertible, Sendable {
        var text: String
        var message: String
        var testDescription: String { "\"\(text)\"" }

        init(_ text: String, _ message: String) {
            (self.text, self.message) = (text, message)
        }
    }

    @Test(
        "Errors in Go's words",
        arguments: [
            Failure("10", "time: missing unit in duration \"10\""),
            Failure("1h30", "time: missing unit in duration \"1h30\""),
            Failure("1d", "time: unknown unit \"d\" in duration \"1d\""),
            Failure("1S", "time: unknown unit \"S\" in duration \"1S\""),
            Failure("5 s", "time: unknown unit \" s\" in duration \"5 s\""),
            Failure("1h-5m", "time: unknown unit \"h-\" in duration \"1h-5m\""),
            Failure("abc", "time: invalid duration \"abc\""),
            Failure("", "time: invalid duration \"\""),
            Failure("-", "time: invalid duration \"-\""),
            Failure(".s", "time: invalid duration \".s\""),
            Failure("1.2.3s", "time: invalid duration \"1.2.3s\""),
            Failure("٣s", "time: invalid duration \"٣s\""),
            Failure("9223372036854775808ns", "time: invalid duration \"9223372036854775808ns\""),
            Failure("2562048h", "time: invalid duration \"2562048h\""),
            Failure("2562047h48m", "time: invalid duration \"2562047h48m\""),
            Failure("9223372036s0.9s", "time: invalid duration \"9223372036s0.9s\""),
        ]
    )
    func errors(_ sample: Failure) {
        #expect(throws: VocabularyError(sample.message)) { try GoDuration.parse(sample.text) }
    }

    @Test("Seconds are rounded to milliseconds, absurd ones saturate")
    func seconds() {
        #expect(GoDuration.text(seconds: 0) == "0s")
        #expect(GoDuration.text(seconds: 0.0004) == "0s")
        #expect(GoDuration.text(seconds: 1.2346) == "1.235s")
        #expect(GoDuration.text(seconds: 3_661) == "1h1m1s")
        #expect(GoDuration.text(seconds: -90) == "-1m30s")
        #expect(GoDuration.text(seconds: 1e12) == "2500000h0m0s")
        #expect(GoDuration.text(seconds: -.infinity) == "-2500000h0m0s")
        #expect(GoDuration.text(seconds: .nan) == "2500000h0m0s")
    }
}
