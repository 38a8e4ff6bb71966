import NIOCore
import NIOSSL

extension MySQLConnection.Configuration {
    /// The handler that encrypts this connection.
    /// - Throws: ``MySQLWireError`` with code `tls` that names the file that cannot be used.
    func makeTLSHandler() throws(MySQLWireError) -> NIOSSLClientHandler {
        var settings = MySQLConnection.TLSSettings()
        if case .required(let given) = tls { settings = given }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.certificateVerification =
            switch settings.verification {
            case .none: .none
            case .certificateAuthority: .noHostnameVerification
            case .identity: .fullVerification
            }
        do {
            if !settings.authorities.isEmpty {
                // Read here, so that a file that cannot be used is an error whatever is verified.
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(settings.authorities))
            }
            if !settings.certificate.isEmpty, !settings.key.isEmpty {
                configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(settings.certificate).map {
                    .certificate($0)
                }
                configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: settings.key, format: .pem))
            }
            return try NIOSSLClientHandler(
                context: NIOSSLContext(configuration: configuration),
                serverHostname: verifiedName(settings)
            )
        } catch {
            throw MySQLWireError(
                .tls,
                "error loading client cert and ca (\(settings.authorities), \(settings.certificate), \(settings.key)): \(error)"
            )
        }
    }

    /// The name to send and verify; an address is verified as such, without a name.
    private func verifiedName(_ settings: MySQLConnection.TLSSettings) -> String? {
        if !settings.serverName.isEmpty { return settings.serverName }
        guard case .tcp(let host, _) = address else { return "localhost" }
        let isAddress = host.contains(":") || host.allSatisfy { $0.isNumber || $0 == "." }
        return isAddress ? nil : host
    }
}
