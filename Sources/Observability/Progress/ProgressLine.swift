/// One line that tells a person how far something is: name, percent, amounts, rate, time left.
package struct ProgressLine: Hashable, Sendable {
    package var name: String
    package var done: Int64
    /// Zero when it is not known.
    package var total: Int64
    /// Seconds since the beginning.
    package var elapsed: Double
    package var unit = Unit.bytes
    package var detail = ""

    /// What is counted.
    package enum Unit: Hashable, Sendable { case bytes, transactions, nothing }

    /// Creates a line.
    package init(name: String, done: Int64 = 0, total: Int64 = 0, elapsed: Double) {
        (self.name, self.done, self.total, self.elapsed) = (name, done, total, elapsed)
    }

    /// The line, without newline.
    package var text: String {
        var parts = [name]
        if unit == .nothing {
            parts.append(Self.seconds(elapsed))
            return parts.joined(separator: "  ")
        }
        if total > 0 { parts.append("\(min(100, done * 100 / max(total, 1)))%") }
        parts.append(total > 0 ? "\(amount(done)) of \(amount(total))" : amount(done))
        if elapsed > 0.2, done > 0 {
            let rate = Double(done) / elapsed
            parts.append("\(amount(Int64(rate)))/s")
            if total > done { parts.append("\(Self.seconds(Double(total - done) / rate)) left") }
        }
        if !detail.isEmpty { parts.append(detail) }
        return parts.joined(separator: "  ")
    }

    private func amount(_ value: Int64) -> String {
        unit == .transactions ? "\(value) transactions" : Self.bytes(value)
    }

    /// A size in decimal units.
    package static func bytes(_ value: Int64) -> String {
        var scaled = Double(value)
        var unit = "B"
        for next in ["kB", "MB", "GB", "TB"] where scaled >= 1000 {
            scaled /= 1000
            unit = next
        }
        if unit == "B" { return "\(value) B" }
        let tenths = Int64((scaled * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(unit)"
    }

    /// A duration for people: `0.8s`, `42s`, `3m05s`, `2h10m`.
    package static func seconds(_ value: Double) -> String {
        guard value.isFinite, value >= 0, value < 1e9 else { return "?" }
        if value < 10 { return "\(Double(Int(value * 10)) / 10)s" }
        let whole = Int(value)
        if whole < 60 { return "\(whole)s" }
        let pad = { (n: Int) in n < 10 ? "0\(n)" : "\(n)" }
        return whole < 3600 ? "\(whole / 60)m\(pad(whole % 60))s" : "\(whole / 3600)h\(pad(whole / 60 % 60))m"
    }
}
