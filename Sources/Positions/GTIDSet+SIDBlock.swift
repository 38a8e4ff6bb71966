// The binary form that COM_BINLOG_DUMP_GTID carries: little endian, interval ends exclusive.

extension GTIDSet {
    /// The SID block: u64 number of servers; per server 16 bytes, u64 number of intervals, per interval i64 first,
    /// i64 last + 1.
    /// - Throws: ``PositionError`` when the set has tags, which this format cannot carry.
    package func sidBlock() throws(PositionError) -> [UInt8] {
        guard members.allSatisfy({ $0.source.tag.isEmpty }) else {
            throw PositionError("a GTID set with tags has no SID block: \(PositionError.excerpt(description))")
        }
        var block = littleEndian(UInt64(members.count))
        for member in members {
            block += member.source.server.bigEndianBytes
            block += littleEndian(UInt64(member.intervals.count))
            for interval in member.intervals {
                block += littleEndian(UInt64(interval.first)) + littleEndian(UInt64(interval.last + 1))
            }
        }
        return block
    }

    /// Reads a SID block; every length is checked against the bytes that are there before anything is allocated.
    /// - Throws: ``PositionError`` for a truncated, oversized or inconsistent block.
    package init(sidBlock bytes: [UInt8]) throws(PositionError) {
        var rest = bytes[...]
        func next() throws(PositionError) -> UInt64 {
            guard rest.count >= 8 else {
                throw PositionError("invalid SID block: truncated at byte \(rest.startIndex)")
            }
            defer { rest = rest.dropFirst(8) }
            return rest.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        var collected: [Source: [Interval]] = [:]
        let servers = try next()
        guard servers <= UInt64(rest.count / 24) else {
            throw PositionError("invalid SID block: \(servers) servers do not fit")
        }
        for _ in 0..<servers {
            guard rest.count >= 16 else {
                throw PositionError("invalid SID block: truncated at byte \(rest.startIndex)")
            }
            let source = Source(server: ServerUUID(bigEndianBytes: rest.prefix(16)))
            rest = rest.dropFirst(16)
            let intervals = try next()
            guard intervals <= UInt64(rest.count / 16) else {
                throw PositionError("invalid SID block: \(intervals) intervals do not fit")
            }
            for _ in 0..<intervals {
                let (first, end) = (try next(), try next())
                guard first >= 1, first < end, end <= UInt64(Int64.max) else {
                    throw PositionError("invalid SID block: interval \(first)..<\(end)")
                }
                collected[source, default: []].append(Interval(Int64(first), Int64(end - 1)))
            }
        }
        guard rest.isEmpty else { throw PositionError("invalid SID block: \(rest.count) bytes too many") }
        self.init(collecting: collected)
    }
}

private func littleEndian(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
}
