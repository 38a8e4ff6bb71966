import FoundationEssentials
import Testing

@testable import Vocabulary

@Suite("Timestamps")
struct BackupTimestampTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var text: String
        var seconds: Double
        var testDescription: String { text }

        init(_ text: String, _ seconds: Double) {
            (self.text, self.seconds) = (text, seconds)
        }
    }

    @Test(
        "The form of backup names",
        arguments: [
            Case("1970-01-01.000000", 0),
            Case("2026-03-27.101500", 1_774_606_500),
            Case("2024-02-29.235959", 1_709_251_199),
            Case("2000-02-29.000000", 951_782_400),
            Case("2026-12-31.235959", 1_798_761_599),
            Case("1969-12-31.235959", -1),
            Case("9999-12-31.235959", 253_402_300_799),
        ]
    )
    func nameForm(_ sample: Case) {
        let date = Date(timeIntervalSince1970: sample.seconds)
        #expect(BackupTimestamp.parse(nameForm: sample.text) == date)
        #expect(BackupTimestamp.nameForm(date) == sample.text)
    }

    @Test(
        "Times that do not exist, and other spellings, are no names",
        arguments: [
            "2026-02-29.000000", "1900-02-29.000000", "2026-04-31.000000", "2026-00-10.000000", "2026-13-10.000000",
            "2026-01-00.000000", "2026-01-32.000000", "2026-01-01.240000", "2026-01-01.006000", "2026-01-01.000060",
            "2026-01-01.00000", "2026-01-01.0000000", "2026-01-01 000000", "2026/01/01.000000", "+026-01-01.000000",
            "2026-01-01.00:00:00", "", "２026-01-01.000000",
        ]
    )
    func notNameForm(_ text: String) {
        #expect(BackupTimestamp.parse(nameForm: text) == nil)
    }

    @Test(
        "RFC 3339 with any offset",
        arguments: [
            Case("2026-03-27T10:15:00Z", 1_774_606_500),
            Case("2026-03-27T10:15:00.999999999Z", 1_774_606_500),
            Case("2026-03-27T10:15:00+00:00", 1_774_606_500),
            Case("2026-03-27T12:15:00+02:00", 1_774_606_500),
            Case("2026-03-27T05:45:00-04:30", 1_774_606_500),
            Case("2026-03-28T00:15:00.5+14:00", 1_774_606_500),
            Case("2024-02-29T23:59:59Z", 1_709_251_199),
            Case("2024-03-01T00:29:59+00:30", 1_709_251_199),
            Case("1970-01-01T00:00:00Z", 0),
        ]
    )
    func rfc3339(_ sample: Case) {
        #expect(BackupTimestamp.parse(rfc3339: sample.text) == Date(timeIntervalSince1970: sample.seconds))
    }

    @Test(
        "What is no RFC 3339",
        arguments: [
            "", "2026-03-27", "2026-03-27T10:15:00", "2026-03-27 10:15:00Z", "2026-03-27T10:15:00.Z",
            "2026-03-27T10:15Z",
            "2026-03-27T10:15:00+2", "2026-03-27T10:15:00+0200", "2026-03-27T10:15:00+24:00",
            "2026-03-27T10:15:00+01:60",
            "2026-03-27T10:15:00Zx", "2026-02-29T10:15:00Z", "2026-03-27T24:00:00Z", "2026-03-27T10:60:00Z",
            "2026-03-27T10:15:60Z", "2026-03-27T10:15:00UTC", "2026-03-27T10:15:0éZ", " 2026-03-27T10:15:00Z",
        ]
    )
    func notRFC3339(_ text: String) {
        #expect(BackupTimestamp.parse(rfc3339: text) == nil)
    }

    @Test("RFC 3339 is printed in UTC with whole seconds")
    func printsRFC3339() {
        #expect(BackupTimestamp.rfc3339(Date(timeIntervalSince1970: 1_774_606_500.75)) == "2026-03-27T10:15:00Z")
        #expect(BackupTimestamp.rfc3339(Date(timeIntervalSince1970: 951_782_405)) == "2000-02-29T00:00:05Z")
    }

    @Test("Both forms agree on every day of a leap cycle", arguments: [1999, 2000, 2024, 2026, 2100])
    func everyDay(year: Int) throws {
        var days = 0
        let start = try #require(BackupTimestamp.parse(nameForm: "\(year)-01-01.120000"))
        while days < 366 {
            let date = start.addingTimeInterval(Double(days) * 86_400)
            guard BackupTimestamp.nameForm(date).hasPrefix("\(year)-") else { break }
            #expect(BackupTimestamp.parse(nameForm: BackupTimestamp.nameForm(date)) == date)
            #expect(BackupTimestamp.parse(rfc3339: BackupTimestamp.rfc3339(date)) == date)
            days += 1
        }
        #expect(days == ([2000, 2024].contains(year) ? 366 : 365))
    }
}
