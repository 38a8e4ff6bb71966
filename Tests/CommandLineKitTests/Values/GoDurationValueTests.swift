import Testing

@testable import CommandLineKit

@Suite("Duration flags")
struct GoDurationValueTests {
    @Test("Reads Go's syntax, prints Go's text")
    func parses() {
        #expect(GoDurationValue(argument: "1h30m")?.nanoseconds == 5_400_000_000_000)
        #expect(GoDurationValue(argument: "90m")?.defaultValueDescription == "1h30m0s")
        #expect(GoDurationValue(argument: "-250ms")?.defaultValueDescription == "-250ms")
    }

    @Test("Anything else is none", arguments: ["", "10", "1d", "abc"])
    func refuses(_ text: String) {
        #expect(GoDurationValue(argument: text) == nil)
    }

    @Test("The same length in every unit")
    func units() {
        let value = GoDurationValue.seconds(90)
        #expect(value == GoDurationValue(nanoseconds: 90_000_000_000))
        #expect(value.duration == .seconds(90))
        #expect(value.seconds == 90)
        #expect(GoDurationValue(nanoseconds: 1_500_000_000).seconds == 1.5)
    }
}
