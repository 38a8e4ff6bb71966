package import FoundationEssentials

/// The two spellings of a time in this system, both UTC with whole seconds: `2026-03-27.101500` in backup names and
/// `2026-03-27T10:15:00Z` (RFC 3339) in manifests.
package enum BackupTimestamp {
    /// `yyyy-MM-dd.HHmmss`.
    package static func nameForm(_ date: Date) -> String {
        let c = components(date)
        return
            "\(digits(c.year, 4))-\(digits(c.month, 2))-\(digits(c.day, 2)).\(digits(c.hour, 2))\(digits(c.minute, 2))\(digits(c.second, 2))"
    }

    /// RFC 3339 with seconds and `Z`.
    package static func rfc3339(_ date: Date) -> String {
        let c = components(date)
        return
            "\(digits(c.year, 4))-\(digits(c.month, 2))-\(digits(c.day, 2))T\(digits(c.hour, 2)):\(digits(c.minute, 2)):\(digits(c.second, 2))Z"
    }

    /// Parses the form of backup names; `nil` for anything that this system would not print.
    package static func parse(nameForm text: String) -> Date? {
        guard let fields = numbers(text, pattern: "dddd-dd-dd.dddddd"), fields.count == 4 else { return nil }
        let (clock, year, month, day) = (fields[3], fields[0], fields[1], fields[2])
        return date(year, month, day, clock / 10000, clock / 100 % 100, clock % 100)
    }

    /// Parses RFC 3339 with any offset and an optional fraction, which is dropped.
    package static func parse(rfc3339 text: String) -> Date? {
        guard text.utf8.count >= 20, let fields = numbers(String(text.prefix(19)), pattern: "dddd-dd-ddTdd:dd:dd"),
            fields.count == 6
        else { return nil }
        var rest = text.dropFirst(19)
        if rest.first == "." {
            rest = rest.dropFirst()
            let fraction = rest.prefix(while: { $0.isASCII && $0.isNumber })
            guard !fraction.isEmpty else { return nil }
            rest = rest.dropFirst(fraction.count)
        }
        guard let date = date(fields[0], fields[1], fields[2], fields[3], fields[4], fields[5]) else { return nil }
        if rest == "Z" || rest == "z" { return date }
        guard let sign = rest.first, sign == "+" || sign == "-",
            let offset = numbers(String(rest.dropFirst()), pattern: "dd:dd"), offset[0] < 24, offset[1] < 60
        else { return nil }
        let seconds = Double(offset[0] * 3600 + offset[1] * 60)
        return sign == "+" ? date - seconds : date + seconds
    }

    // MARK: Fields

    private static var calendar: Calendar {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar
    }

    private static func components(_ date: Date) -> DateComponents {
        calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: date)
    }

    /// A date from its fields; `nil` when a field is out of range, such as the 30th of February.
    private static func date(_ year: Int, _ month: Int, _ day: Int, _ hour: Int, _ minute: Int, _ second: Int) -> Date?
    {
        guard (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 60 else { return nil }
        let wanted = DateComponents(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        guard let date = calendar.date(from: wanted), components(date).day == day, components(date).year == year else {
            return nil
        }
        return date
    }

    /// Splits `text` by a pattern of `d` (digit) and literal characters into its numbers.
    private static func numbers(_ text: String, pattern: String) -> [Int]? {
        guard text.utf8.count == pattern.utf8.count else { return nil }
        var fields: [Int] = []
        var inField = false
        for (byte, expected) in zip(text.utf8, pattern.utf8) {
            if expected == UInt8(ascii: "d") {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                let digit = Int(byte - UInt8(ascii: "0"))
                if inField {
                    fields[fields.count - 1] = fields[fields.count - 1] * 10 + digit
                } else {
                    fields.append(digit)
                }
                inField = true
            } else {
                guard byte == expected else { return nil }
                inField = false
            }
        }
        return fields
    }

    private static func digits(_ value: Int?, _ width: Int) -> String {
        let text = String(value ?? 0)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
