/// A MariaDB position: the last GTID (`domain-server-sequence`) of each replication domain.
package struct MariaDBPosition: Hashable, Sendable, CustomStringConvertible {
    /// One MariaDB GTID.
    package struct GTID: Hashable, Sendable, CustomStringConvertible {
        package var domain: UInt32
        package var server: UInt32
        package var sequence: UInt64

        package var description: String { "\(domain)-\(server)-\(sequence)" }

        init(_ text: Substring) throws(PositionError) {
            let parts = text.split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count == 3 else {
                throw PositionError(
                    "invalid MariaDB GTID (\(PositionError.excerpt(text))): expecting Domain-Server-Sequence"
                )
            }
            guard let domain = UInt32(strict: parts[0]) else {
                throw PositionError("invalid MariaDB GTID Domain ID (\(PositionError.excerpt(parts[0])))")
            }
            guard let server = UInt32(strict: parts[1]) else {
                throw PositionError("invalid MariaDB GTID Server ID (\(PositionError.excerpt(parts[1])))")
            }
            guard let sequence = UInt64(strict: parts[2]) else {
                throw PositionError("invalid MariaDB GTID Sequence number (\(PositionError.excerpt(parts[2])))")
            }
            (self.domain, self.server, self.sequence) = (domain, server, sequence)
        }
    }

    private var domains: [UInt32: GTID]

    /// Parses a comma-separated list; blanks are trimmed, the last GTID of a domain wins.
    /// - Throws: ``PositionError``.
    package init(_ text: String) throws(PositionError) {
        domains = [:]
        for part in text.split(separator: ",") {
            let trimmed = part.trimmingBlanks
            guard !trimmed.isEmpty else { continue }
            let gtid = try GTID(trimmed)
            domains[gtid.domain] = gtid
        }
    }

    /// True without any domain.
    package var isEmpty: Bool { domains.isEmpty }

    /// The GTIDs in domain order.
    package var gtids: [GTID] { domains.values.sorted { $0.domain < $1.domain } }

    /// Whether every domain of `other` has been reached; the server id does not matter.
    package func contains(_ other: MariaDBPosition) -> Bool {
        other.domains.values.allSatisfy { theirs in
            domains[theirs.domain].map { $0.sequence >= theirs.sequence } ?? false
        }
    }

    /// The domains that have come further here than in `other`.
    package func domains(beyond other: MariaDBPosition) -> MariaDBPosition {
        var result = self
        result.domains = domains.filter { $0.value.sequence > other.domains[$0.key]?.sequence ?? 0 }
        return result
    }

    /// Per domain the later of both.
    package func union(_ other: MariaDBPosition) -> MariaDBPosition {
        var result = self
        result.domains.merge(other.domains) { $1.sequence > $0.sequence ? $1 : $0 }
        return result
    }

    package var description: String { gtids.map(\.description).joined(separator: ",") }
}

extension FixedWidthInteger {
    /// Decimal digits only: no sign, no separators.
    init?(strict digits: Substring) {
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        self.init(digits, radix: 10)
    }
}

extension Substring {
    var trimmingBlanks: Substring {
        var text = self
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
