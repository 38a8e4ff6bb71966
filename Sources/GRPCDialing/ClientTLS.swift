package import GRPCNIOTransportHTTP2Posix
import NIOCore
import NIOSSL
import Synchronization

/// Files for encrypted connections of a client; at least TLS 1.2, and the server's certificate is always verified.
package struct ClientTLS: Hashable, Sendable {
    package var certificate = ""
    package var key = ""
    /// Empty: the system's authorities.
    package var authorities = ""
    /// The name to verify instead of the host's.
    package var serverName = ""

    /// No files: the system's authorities, and no certificate of ours.
    package init() {}

    /// Whether the files ask for encryption, as Vitess's clients take them: authorities, or a certificate with its key.
    package var isAsked: Bool { !authorities.isEmpty || (!certificate.isEmpty && !key.isEmpty) }

    /// How the transport encrypts.
    package var security: HTTP2ClientTransport.Posix.TransportSecurity { security { _ in } }

    /// How the transport encrypts, with certificates that are verified by us.
    /// - Parameters:
    ///   - verifier: has the authorities, and lists of revoked certificates.
    ///   - host: as it is dialled; ``serverName`` counts instead.
    ///   - refusal: gets the reason when the certificate is refused, which the transport does not tell.
    /// - Returns: what the transport takes.
    package func security(
        verifiedBy verifier: CertificateVerifier,
        host: String,
        refusal: RefusalReason
    ) -> HTTP2ClientTransport.Posix.TransportSecurity {
        let name = serverName.isEmpty ? host : serverName
        return security { config in
            config.customVerificationCallback = { certificates, promise in
                // The library asks on its own thread, and waits for the promise; bounded by the number of certificates.
                promise.completeWithTask {
                    do {
                        let chain = try await verifier.verify(certificates, of: name)
                        return .certificateVerified(VerificationMetadata(chain))
                    } catch {
                        refusal.set("\(error)")
                        return .failed
                    }
                }
            }
        }
    }

    private func security(
        _ adjust: (inout HTTP2ClientTransport.Posix.TransportSecurity.TLS) -> Void
    ) -> HTTP2ClientTransport.Posix.TransportSecurity {
        .tls { config in
            if !certificate.isEmpty, !key.isEmpty {
                config.certificateChain = [.file(path: certificate, format: .pem)]
                config.privateKey = .file(path: key, format: .pem)
            }
            if !authorities.isEmpty { config.trustRoots = .certificates([.file(path: authorities, format: .pem)]) }
            adjust(&config)
        }
    }
}

/// Why a server's certificate was refused, told beside the transport, which only says that it was.
package final class RefusalReason: Sendable {
    private let text = Mutex<String?>(nil)

    /// Nothing was refused.
    package init() {}

    /// The reason; `nil`: none.
    package var reason: String? { text.withLock { $0 } }

    func set(_ reason: String) {
        text.withLock { $0 = reason }
    }
}
