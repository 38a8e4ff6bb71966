/// Durations as Go prints and parses them: `1h30m0s`, `250ms`, `1.5s`.
package enum GoDuration {
    /// Prints a duration.
    ///
    /// Below a second the unit is ms, µs or ns; from a second on whole minutes and hours are named.
    package static func text(nanoseconds: Int64) -> String {
        if nanoseconds == 0 { return "0s" }
        let magnitude = nanoseconds.magnitude
        let sign = nanoseconds < 0 ? "-" : ""
        switch magnitude {
        case ..<1_000: return "\(sign)\(magnitude)ns"
        case ..<1_000_000: return sign + decimal(magnitude, unit: 1_000) + "µs"
        case ..<1_000_000_000: return sign + decimal(magnitude, unit: 1_000_000) + "ms"
        default:
            let (hours, minutes) = (magnitude / 3_600_000_000_000, magnitude / 60_000_000_000 % 60)
            let seconds = decimal(magnitude % 60_000_000_000, unit: 1_000_000_000) + "s"
            if hours > 0 { return "\(sign)\(hours)h\(minutes)m\(seconds)" }
            return minutes > 0 ? "\(sign)\(minutes)m\(seconds)" : sign + seconds
        }
    }

    /// Prints a duration given in seconds, rounded to milliseconds; absurd values saturate.
    package static func text(seconds: Double) -> String {
        let milliseconds = (seconds * 1000).rounded()
        guard milliseconds.isFinite, milliseconds.magnitude < 9e12 else {
            return seconds < 0 ? "-2500000h0m0s" : "2500000h0m0s"
        }
        return text(nanoseconds: Int64(milliseconds) * 1_000_000)
    }

    /// Parses a Go duration into nanoseconds.
    /// - Throws: ``VocabularyError`` with Go's wording.
    package static func parse(_ text: String) throws(VocabularyError) -> Int64 {
        let quoted = "\"\(PrintableText.excerpt(text))\""
        let invalid = VocabularyError("time: invalid duration \(quoted)")
        var rest = text[...]
        var negative = false
        if let sign = rest.first, sign == "-" || sign == "+" {
            negative = sign == "-"
            rest = rest.dropFirst()
        }
        if rest == "0" { return 0 }
        guard !rest.isEmpty else { throw invalid }
        var total: Int64 = 0
        while !rest.isEmpty {
            let number = rest.prefix { $0 == "." || ($0.isASCII && $0.isNumber) }
            rest = rest.dropFirst(number.count)
            guard number.contains(where: \.isNumber), number.filter({ $0 == "." }).count <= 1 else { throw invalid }
            let unit = rest.prefix { $0 != "." && !($0.isASCII && $0.isNumber) }
            rest = rest.dropFirst(unit.count)
            guard !unit.isEmpty else { throw VocabularyError("time: missing unit in duration \(quoted)") }
            guard let scale = units[String(unit)] else {
                throw VocabularyError("time: unknown unit \"\(PrintableText.excerpt(unit))\" in duration \(quoted)")
            }
            let parts = number.split(separator: ".", omittingEmptySubsequences: false)
            guard let whole = Int64(parts[0].isEmpty ? "0" : parts[0]) else { throw invalid }
            var value = whole.multipliedReportingOverflow(by: scale)
            if parts.count == 2, !value.overflow {
                value = value.partialValue.addingReportingOverflow(part(of: scale, decimals: parts[1]))
            }
            let sum = total.addingReportingOverflow(value.partialValue)
            guard !value.overflow, !sum.overflow else { throw invalid }
            total = sum.partialValue
        }
        return negative ? -total : total
    }

    /// The part of a unit that the digits behind a point stand for, computed as Go does: from whole numbers, because
    /// `0.29` itself is no `Double`.
    ///
    /// Digits beyond 18 places are ignored.
    private static func part(of unit: Int64, decimals: Substring) -> Int64 {
        let digits = decimals.prefix(18)
        let divisor = digits.reduce(1.0) { power, _ in power * 10 }
        return Int64(Double(Int64(digits) ?? 0) * (Double(unit) / divisor))
    }

    private static let units: [String: Int64] = [
        "ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000,
        "h": 3_600_000_000_000,
    ]

    private static func decimal(_ value: UInt64, unit: UInt64) -> String {
        let (whole, rest) = (value / unit, value % unit)
        if rest == 0 { return String(whole) }
        let width = String(unit).count - 1
        var digits = String(rest)
        digits = String(repeating: "0", count: width - digits.count) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(whole).\(digits)"
    }
}
