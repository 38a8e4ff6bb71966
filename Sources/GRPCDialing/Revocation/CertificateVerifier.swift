package import FoundationEssentials
import Host
package import NIOSSL
import SwiftASN1
import Synchronization
import SystemPackage
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

    /// More certificates than any chain has; the search for a chain takes time that grows fast with them.
    private static let mostCertificates = 8
    private static let systemBundles = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"]
    private static let largestBundle = 16 << 20

    private let authorities: [Certificate]
    private let lists: RevocationLists

    /// Reads PEM files; blocking.
    /// - Parameters:
    ///   - lists: one or more `X509 CRL` blocks; `nil`: nothing is looked up.
    ///   - authorities: `CERTIFICATE` blocks; `nil`: the system's.
    ///   - now: the time.
    /// - Throws: ``Refusal`` when there is no list, or one that is not complete, not signed by its issuer where that is
    ///   one of the authorities, or from the future; and when there is no authority.
    package init(lists: String?, authorities: String?, now: Date) throws {
        let found = try Self.blocks(lists ?? "", named: "X509 CRL").map { der in
            do {
                return try RevocationList(der)
            } catch {
                throw Refusal(description: "\(error)")
            }
        }
        guard !found.isEmpty || lists == nil else { throw Refusal(description: "there is no X509 CRL block in it") }
        // Of a bundle of many, what is of a kind that cannot be verified stands in nobody's way.
        let trusted = try Self.blocks(try authorities ?? Self.systemBundle(), named: "CERTIFICATE").compactMap {
            try? Certificate(derEncoded: $0)
        }
        let checked = try RevocationLists(found, authorities: trusted, now: now)
        self.lists = checked
        // An authority among them whose own authority has revoked it is none any more.
        self.authorities = trusted.filter { one in
            !trusted.contains {
                $0.subject == one.issuer && $0 != one && checked.verdict(on: one, issuedBy: $0) == .revoked
            }
        }
        guard !self.authorities.isEmpty else {
            throw Refusal(description: "there is no certificate of an authority that could be trusted")
        }
    }

    /// What an operator should look after.
    package func warnings(at now: Date) -> [String] { lists.warnings(authorities, at: now) }

    /// Verifies what a server presents.
    /// - Returns: the chain from its certificate to one of the authorities.
    /// - Throws: ``Refusal``.
    package func verify(
        _ presented: [NIOSSLCertificate],
        of host: String
    ) async throws -> NIOSSL.ValidatedCertificateChain {
        guard let first = presented.first else { throw Refusal(description: "the server presents no certificate") }
        guard presented.count <= Self.mostCertificates else {
            throw Refusal(description: "the server presents \(presented.count) certificates, which is no chain")
        }
        let leaf: Certificate
        do {
            leaf = try Certificate(derEncoded: try first.toDERBytes())
        } catch {
            throw Refusal(description: "the certificate of \(host) cannot be read: \(error)")
        }
        let others = presented.dropFirst().compactMap { try? Certificate(derEncoded: try $0.toDERBytes()) }
        let isAddress = isAddress(host)
        var verifier = Verifier(rootCertificates: CertificateStore(authorities)) {
            RFC5280Policy()
            AuthorityPolicy()
            ServerIdentityPolicy(serverHostname: isAddress ? nil : host, serverIP: isAddress ? host : nil)
            ServerPurposePolicy()
            RevocationPolicy(lists: lists)
        }
        let steps = Mutex<[String]>([])
        let result = await verifier.validate(leaf: leaf, intermediates: CertificateStore(others)) { step in
            steps.withLock { $0.append("\(step)") }
        }
        switch result {
        case .validCertificate(let chain): return try Self.chain(chain)
        case .couldNotValidate(let failures):
            let reasons = Set(failures.map { "\($0.policyFailureReason)" }).sorted()
            let why =
                reasons.isEmpty
                ? "it leads to none of the authorities that are trusted (\(steps.withLock { $0.last } ?? ""))"
                : reasons.joined(separator: "; ")
            throw Refusal(description: "the certificate of \(host) is refused: \(why)")
        }
    }

    private static func chain(_ chain: X509.ValidatedCertificateChain) throws -> NIOSSL.ValidatedCertificateChain {
        NIOSSL.ValidatedCertificateChain(
            try chain.map { certificate in
                var serializer = DER.Serializer()
                try certificate.serialize(into: &serializer)
                return try NIOSSLCertificate(bytes: serializer.serializedBytes, format: .der)
            }
        )
    }

    private static func blocks(_ text: String, named kind: String) throws -> [[UInt8]] {
        do {
            return try PEMBlocks(text).contents(of: kind)
        } catch {
            throw Refusal(description: "\(error)")
        }
    }

    private static func systemBundle() throws -> String {
        for path in systemBundles {
            if let bytes = try FileTree.read(FilePath(path), limit: largestBundle) {
                return String(decoding: bytes, as: UTF8.self)
            }
        }
        throw Refusal(
            description: "the system has no file of trusted authorities (\(systemBundles.joined(separator: ", ")))"
        )
    }
}
