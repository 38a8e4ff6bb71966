import SwiftASN1
import X509

/// Every certificate between the server's and the anchor must be an authority's, and say so.
///
/// `RFC5280Policy` takes certificates of version 1 for authorities and does not look at what their keys may be used for.
struct AuthorityPolicy: VerifierPolicy {
    let verifyingCriticalExtensions: [ASN1ObjectIdentifier] = [.X509ExtensionID.keyUsage]

    func chainMeetsPolicyRequirements(chain: UnverifiedCertificateChain) -> PolicyEvaluationResult {
        for certificate in chain.dropLast() where certificate.signatureAlgorithm == .sha1WithRSAEncryption {
            return .failsToMeetPolicy(reason: "\(certificate.subject) is signed with SHA-1")
        }
        for authority in chain.dropFirst().dropLast() {
            guard case .isCertificateAuthority = try? authority.extensions.basicConstraints, authority.version == .v3,
                (try? authority.extensions.keyUsage)?.keyCertSign ?? true
            else { return .failsToMeetPolicy(reason: "\(authority.subject) is no authority") }
        }
        return .meetsPolicy
    }
}

/// A certificate that says what it is for must be for servers, and so must the authorities below the anchor.
struct ServerPurposePolicy: VerifierPolicy {
    let verifyingCriticalExtensions: [ASN1ObjectIdentifier] = [.X509ExtensionID.extendedKeyUsage]

    func chainMeetsPolicyRequirements(chain: UnverifiedCertificateChain) -> PolicyEvaluationResult {
        for certificate in chain.prefix(max(1, chain.count - 1)) {
            do {
                guard let usage = try certificate.extensions.extendedKeyUsage else { continue }
                guard usage.contains(.serverAuth) || usage.contains(.any) else {
                    return .failsToMeetPolicy(reason: "\(certificate.subject) is not for servers")
                }
            } catch {
                return .failsToMeetPolicy(reason: "what \(certificate.subject) is for cannot be read")
            }
        }
        return .meetsPolicy
    }
}

/// No certificate of the chain but the anchor may be in the list of its issuer.
struct RevocationPolicy: VerifierPolicy {
    let lists: RevocationLists
    let verifyingCriticalExtensions: [ASN1ObjectIdentifier] = []

    func chainMeetsPolicyRequirements(chain: UnverifiedCertificateChain) -> PolicyEvaluationResult {
        for (certificate, issuer) in zip(chain, chain.dropFirst()) {
            switch lists.verdict(on: certificate, issuedBy: issuer) {
            case .good: continue
            case .revoked: return .failsToMeetPolicy(reason: "Certificate revoked: \(certificate.subject)")
            case .notAllowed:
                return .failsToMeetPolicy(
                    reason:
                        "\(issuer.subject) has signed a list of revoked certificates, which its key may not be used for"
                )
            }
        }
        return .meetsPolicy
    }
}
