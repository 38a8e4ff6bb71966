// The text form, as `@@global.gtid_executed` prints it: `uuid:1-5:7,uuid:1:tag:1-3`.

extension GTIDSet: CustomStringConvertible {
    /// Parses a GTID set: sources separated by commas, each `uuid` followed by `:`-separated intervals and tags.
    ///
    /// White space around every separator is ignored, empty elements are skipped, intervals that end before they
    /// start are dropped. An untagged interval cannot follow a tag.
    /// - Throws: ``PositionError`` with Vitess's wording.
    package init(_ text: String) throws(PositionError) {
        var text = text
        let parsed = text.withUTF8 { bytes -> Result<GTIDSet, PositionError> in
            var parser = GTIDSetParser(bytes)
            return parser.parse()
        }
        self = try parsed.get()
    }

    package var description: String {
        var text: [UInt8] = []
        text.reserveCapacity(members.count * 40 + intervalCount * 12)
        var server: ServerUUID?
        for member in members {
            if member.source.server != server {
                if server != nil { text.append(UInt8(ascii: ",")) }
                text.append(contentsOf: member.source.server.description.utf8)
                server = member.source.server
            }
            if !member.source.tag.isEmpty {
                text.append(UInt8(ascii: ":"))
                text.append(contentsOf: member.source.tag.utf8)
            }
            for interval in member.intervals {
                text.append(UInt8(ascii: ":"))
                text.append(contentsOf: String(interval.first).utf8)
                if interval.last != interval.first {
                    text.append(UInt8(ascii: "-"))
                    text.append(contentsOf: String(interval.last).utf8)
                }
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// One pass over the bytes; a field at a time, no intermediate strings except tags.
private struct GTIDSetParser {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var collected: [GTIDSet.Source: [GTIDSet.Interval]] = [:]

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    mutating func parse() -> Result<GTIDSet, PositionError> {
        do throws(PositionError) {
            var start = 0
            while start <= bytes.count {
                let end = index(of: UInt8(ascii: ","), in: start..<bytes.count) ?? bytes.count
                let element = trimmed(start..<end)
                if !element.isEmpty { try parseElement(element) }
                start = end + 1
            }
        } catch {
            return .failure(error)
        }
        return .success(GTIDSet(collecting: collected))
    }

    private mutating func parseElement(_ element: Range<Int>) throws(PositionError) {
        guard let colon = index(of: UInt8(ascii: ":"), in: element) else {
            throw invalid("expected uuid:interval")
        }
        let uuid = trimmed(element.lowerBound..<colon)
        guard let server = ServerUUID(ascii: UnsafeBufferPointer(rebasing: bytes[uuid])) else {
            throw invalid("invalid MySQL 5.6 SID \"\(PositionError.excerpt(text(uuid)))\"")
        }
        var source = GTIDSet.Source(server: server)
        var intervals = collected.removeValue(forKey: source) ?? []
        var start = colon + 1
        while start <= element.upperBound {
            let end = index(of: UInt8(ascii: ":"), in: start..<element.upperBound) ?? element.upperBound
            let field = trimmed(start..<end)
            start = end + 1
            if field.isEmpty {
                // `uuid:` names a server without transactions; an empty field elsewhere is a slip.
                guard element.upperBound == colon + 1 else {
                    throw interval(field, "strconv.ParseInt: parsing \"\": invalid syntax")
                }
            } else if let tag = tag(in: field) {
                if !intervals.isEmpty { collected[source] = intervals }
                source.tag = tag
                intervals = collected.removeValue(forKey: source) ?? []
            } else if let parsed = try parseInterval(field) {
                intervals.append(parsed)
            }
        }
        if !intervals.isEmpty { collected[source] = intervals }
    }

    /// A field that starts with a letter or underscore opens a tag of up to 32 characters.
    private func tag(in field: Range<Int>) -> String? {
        guard field.count <= 32, let first = bytes[field].first, isTagStart(first) else { return nil }
        guard bytes[field].allSatisfy({ isTagStart($0) || isDigit($0) }) else { return nil }
        return String(decoding: bytes[field].map { isUpper($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    private func parseInterval(_ field: Range<Int>) throws(PositionError) -> GTIDSet.Interval? {
        let dash = index(of: UInt8(ascii: "-"), in: field)
        let first = try number(trimmed(field.lowerBound..<(dash ?? field.upperBound)), of: field)
        guard first > 0 else { throw interval(field, "start must be > 0") }
        guard let dash else { return GTIDSet.Interval(first, first) }
        let last = try number(trimmed(dash + 1..<field.upperBound), of: field)
        return last < first ? nil : GTIDSet.Interval(first, last)
    }

    private func number(_ digits: Range<Int>, of field: Range<Int>) throws(PositionError) -> Int64 {
        var value: Int64 = 0
        guard !digits.isEmpty else { throw interval(field, "strconv.ParseInt: parsing \"\": invalid syntax") }
        for byte in bytes[digits] {
            guard isDigit(byte) else {
                throw interval(
                    field,
                    "strconv.ParseInt: parsing \"\(PositionError.excerpt(text(digits)))\": invalid syntax"
                )
            }
            let (product, tooBig) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = product.addingReportingOverflow(Int64(byte - UInt8(ascii: "0")))
            // 2^63-1 is refused too: the server knows no such transaction, and interval ends are kept plus one.
            guard !tooBig, !overflow, sum < Int64.max else {
                throw interval(
                    field,
                    "strconv.ParseInt: parsing \"\(PositionError.excerpt(text(digits)))\": value out of range"
                )
            }
            value = sum
        }
        return value
    }

    // MARK: Bytes

    private func index(of byte: UInt8, in range: Range<Int>) -> Int? {
        var index = range.lowerBound
        while index < range.upperBound {
            if bytes[index] == byte { return index }
            index += 1
        }
        return nil
    }

    private func trimmed(_ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, isSpace(bytes[start]) { start += 1 }
        while start < end, isSpace(bytes[end - 1]) { end -= 1 }
        return start..<end
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
    private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
    private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    private func isUpper(_ byte: UInt8) -> Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) }
    private func isTagStart(_ byte: UInt8) -> Bool {
        isUpper(byte) || byte == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }

    // MARK: Errors

    private func invalid(_ cause: String) -> PositionError {
        PositionError("invalid MySQL 5.6 GTID set (\"\(PositionError.excerpt(text(0..<bytes.count)))\"): \(cause)")
    }

    private func interval(_ field: Range<Int>, _ cause: String) -> PositionError {
        invalid("invalid interval (\"\(PositionError.excerpt(text(field)))\"): \(cause)")
    }
}
