import FoundationEssentials
import X509

/// The lists of all issuers, and what they say of a certificate.
struct RevocationLists: Sendable {
    /// A list that is younger is of a clock that is wrong.
    private static let clockTolerance = 300.0

    /// What is known of a certificate.
    enum Verdict {
        /// No list of its issuer names it.
        case good
        /// The newest list of its issuer names it.
        case revoked
        /// The issuer's key has signed a list, but may not sign any.
        case notAllowed
    }

    /// Newest first, by the issuer's name: two keys may carry one.
    private let lists: [String: [RevocationList]]

    /// Takes complete lists.
    /// - Parameters:
    ///   - lists: in any order.
    ///   - authorities: certificates that are trusted.
    ///   - now: the time.
    /// - Throws: ``CertificateVerifier/Refusal`` for a list that none of its issuer's certificates among the authorities has
    ///   signed, or one from the future.
    init(_ lists: [RevocationList], authorities: [Certificate], now: Date) throws {
        for list in lists {
            let issuers = authorities.filter { Self.key($0.subject) == Self.key(list.issuer) }
            guard issuers.isEmpty || issuers.contains(where: { list.signature(of: $0) == .valid }) else {
                throw CertificateVerifier.Refusal(
                    description: "the list of \(list.issuer) is not signed by that authority"
                )
            }
            guard list.issued <= now.addingTimeInterval(Self.clockTolerance) else {
                throw CertificateVerifier.Refusal(
                    description: "the list of \(list.issuer) is from the future (\(list.issued))"
                )
            }
        }
        self.lists = Dictionary(grouping: lists) { Self.key($0.issuer) }
            .mapValues { $0.sorted { $0.issued > $1.issued } }
    }

    /// What the newest list that `issuer` has signed says.
    func verdict(on certificate: Certificate, issuedBy issuer: Certificate) -> Verdict {
        var newest: Date?
        for list in lists[Self.key(certificate.issuer)] ?? [] {
            // Of two lists of one moment each counts.
            if let newest, list.issued < newest { break }
            switch list.signature(of: issuer) {
            case .valid:
                if list.revokes(certificate) { return .revoked }
                newest = list.issued
            case .notAllowed: return .notAllowed
            case .others: continue
            }
        }
        return .good
    }

    /// What an operator should look after.
    func warnings(_ authorities: [Certificate], at now: Date) -> [String] {
        let names = Set(authorities.map { Self.key($0.subject) })
        return lists.values.compactMap(\.first).sorted { "\($0.issuer)" < "\($1.issuer)" }.flatMap { list in
            var warnings: [String] = []
            if let next = list.nextIssue, next < now {
                warnings.append(
                    "the list of revoked certificates of \(list.issuer) should have been replaced by now; it still counts"
                )
            }
            if !names.contains(Self.key(list.issuer)) {
                warnings.append(
                    "the list of revoked certificates of \(list.issuer) is of none of the trusted authorities; it only counts for an authority of that name that a tablet presents"
                )
            }
            return warnings
        }
    }

    /// Names as they compare: in any case, with any spaces, and however their texts are encoded.
    private static func key(_ name: DistinguishedName) -> String {
        "\(name)".lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
