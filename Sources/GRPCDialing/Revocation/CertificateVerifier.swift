package import FoundationEssentials
package import NIOSSL
import SwiftASN1
import X509

/// Verifies servers' certificates where the TLS library's own verification does not do.
///
/// That one knows no lists of revoked certificates (`--…-grpc-crl`), and takes a certificate for the dialled address when
/// another name is asked for (`--…-grpc-server-name`). Here chain, name and validity are verified alike, the given name
/// alone counts, and every certificate of the chain but the anchor is looked up in the newest list of its issuer.
package struct CertificateVerifier: Sendable {
    /// Why the files cannot be used, or a certificate is refused.
    package struct Refusal: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// A list that is younger is of a clock that is wrong.
    private static let clockTolerance = 300.0

    private let roots: CertificateStore
    /// The newest of each issuer.
    private let lists: [DistinguishedName: RevocationList]

    /// Reads PEM files.
    /// - Parameters:
    ///   - lists: one or more `X509 CRL` blocks; `nil`: nothing is looked up.
    ///   - authorities: `CERTIFICATE` blocks; `nil`: the system's.
    ///   - now: the time.
    /// - Throws: ``Refusal`` when there is no list, or one that is not complete, not signed by its issuer where that is
    ///   one of the authorities, or from the future.
    package init(lists: String?, authorities: String?, now: Date) throws {
        let found = try Self.blocks(lists ?? "", named: "X509 CRL").map { der in
            do {
                return try RevocationList(der)
            } catch {
                throw Refusal(description: "\(error)")
            }
        }
        guard !found.isEmpty || lists == nil else { throw Refusal(description: "there is no X509 CRL block in it") }
        let certificates = try authorities.map { try Self.blocks($0, named: "CERTIFICATE").map(Self.certificate) }
        for list in found {
            let issuers = (certificates ?? []).filter { $0.subject == list.issuer }
            guard issuers.isEmpty || issuers.contains(where: list.isSigned) else {
                throw Refusal(description: "the list of \(list.issuer) is not signed by that authority")
            }
            guard list.issued <= now.addingTimeInterval(Self.clockTolerance) else {
                throw Refusal(description: "the list of \(list.issuer) is from the future (\(list.issued))")
            }
        }
        self.lists = Dictionary(found.map { ($0.issuer, $0) }) { $0.issued >= $1.issued ? $0 : $1 }
        roots = certificates.map { CertificateStore($0) } ?? .systemTrustRoots
    }

    /// Issuers whose list should have been replaced by now; it still counts.
    package func overdue(at now: Date) -> [String] {
        lists.values.filter { $0.nextIssue.map { $0 < now } ?? false }.map { "\($0.issuer)" }.sorted()
    }

    /// Verifies what a server presents.
    /// - Returns: the chain from its certificate to one of the authorities.
    /// - Throws: ``Refusal``.
    package func verify(
        _ presented: [NIOSSLCertificate],
        of host: String
    ) async throws -> NIOSSL.ValidatedCertificateChain {
        let certificates = try presented.map { try Self.certificate(try $0.toDERBytes()) }
        guard let leaf = certificates.first else { throw Refusal(description: "the server presents no certificate") }
        let isAddress = isAddress(host)
        var verifier = Verifier(rootCertificates: roots) {
            RFC5280Policy()
            ServerIdentityPolicy(serverHostname: isAddress ? nil : host, serverIP: isAddress ? host : nil)
            ServerPurposePolicy()
            RevocationPolicy(lists: lists)
        }
        let intermediates = CertificateStore(certificates.dropFirst())
        switch await verifier.validate(leaf: leaf, intermediates: intermediates) {
        case .validCertificate(let chain):
            return NIOSSL.ValidatedCertificateChain(
                try chain.map { certificate in
                    var serializer = DER.Serializer()
                    try certificate.serialize(into: &serializer)
                    return try NIOSSLCertificate(bytes: serializer.serializedBytes, format: .der)
                }
            )
        case .couldNotValidate(let failures):
            let reasons = Set(failures.map { "\($0.policyFailureReason)" }).sorted()
            throw Refusal(
                description: reasons.isEmpty
                    ? "the certificate of \(host) is not one of the authorities that are trusted"
                    : "the certificate of \(host) is refused: \(reasons.joined(separator: "; "))"
            )
        }
    }

    private static func blocks(_ text: String, named kind: String) throws -> [[UInt8]] {
        do {
            return try PEMDocument.parseMultiple(pemString: text).filter { $0.discriminator == kind }.map(\.derBytes)
        } catch {
            throw Refusal(description: "it is no PEM file: \(error)")
        }
    }

    private static func certificate(_ der: [UInt8]) throws -> Certificate {
        do {
            return try Certificate(derEncoded: der)
        } catch {
            throw Refusal(description: "a certificate cannot be read: \(error)")
        }
    }
}

/// A certificate that says what it is for must be for servers.
private struct ServerPurposePolicy: VerifierPolicy {
    let verifyingCriticalExtensions: [ASN1ObjectIdentifier] = [.X509ExtensionID.extendedKeyUsage]

    func chainMeetsPolicyRequirements(chain: UnverifiedCertificateChain) -> PolicyEvaluationResult {
        do {
            guard let usage = try chain.leaf.extensions.extendedKeyUsage else { return .meetsPolicy }
            return usage.contains(.serverAuth) || usage.contains(.any)
                ? .meetsPolicy : .failsToMeetPolicy(reason: "it is not for servers")
        } catch {
            return .failsToMeetPolicy(reason: "what it is for cannot be read")
        }
    }
}

/// No certificate of the chain but the anchor may be in the list of its issuer.
private struct RevocationPolicy: VerifierPolicy {
    let lists: [DistinguishedName: RevocationList]
    let verifyingCriticalExtensions: [ASN1ObjectIdentifier] = []

    func chainMeetsPolicyRequirements(chain: UnverifiedCertificateChain) -> PolicyEvaluationResult {
        for (certificate, issuer) in zip(chain, chain.dropFirst()) {
            guard let list = lists[certificate.issuer] else { continue }
            guard list.isSigned(by: issuer) else {
                return .failsToMeetPolicy(
                    reason: "the list of \(list.issuer) is not signed by the authority that issued the certificate"
                )
            }
            if list.revokes(certificate) {
                return .failsToMeetPolicy(reason: "Certificate revoked: \(certificate.subject)")
            }
        }
        return .meetsPolicy
    }
}
