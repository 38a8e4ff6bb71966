import NIOSSL

/// Whether TLS came to its end because one side does not take the other's certificate, or does not speak TLS as the other
/// does: nothing that waiting heals.
///
/// A connection that ends in the middle of a handshake is none of them: whoever is being started does that.
/// - Parameter error: of the TLS library.
/// - Returns: false for what may heal, and for what is no error of TLS.
package func isRefusedHandshake(_ error: any Error) -> Bool {
    switch error {
    case let error as NIOSSLExtraError: [.failedToValidateHostname, .serverHostnameImpossibleToMatch].contains(error)
    case NIOSSLError.unableToValidateCertificate, NIOSSLError.noCertificateToValidate: true
    // Before the handshake is over, and, for what TLS 1.3 tells later, after it.
    case NIOSSLError.handshakeFailed(.sslError(let stack)), BoringSSLError.sslError(let stack):
        stack.contains { isRefusal(entry: $0.description) }
    default: false
    }
}

/// Judges an entry of BoringSSL's stack of errors by its number, which the library shows in decimal and gives nobody.
///
/// The number is made of the library's part (16 is TLS) and a reason; alerts of the other side are 1000 and their number.
/// - Parameter description: `Error: <number> <words>`.
/// - Returns: whether it is a refusal.
func isRefusal(entry description: String) -> Bool {
    guard let match = description.firstMatch(of: /^Error: ([0-9]+)\b/), let number = UInt32(match.1), number >> 24 == 16
    else { return false }
    return refusals.contains(number & 0xfff)
}

private let refusals: Set<UInt32> = [
    // CERTIFICATE_VERIFY_FAILED, HTTPS_PROXY_REQUEST, HTTP_REQUEST, UNSUPPORTED_PROTOCOL, WRONG_VERSION_NUMBER.
    125, 155, 156, 240, 247,
    // Alerts: no common cipher; what is wrong with a certificate; its authority is unknown; access denied; the version of
    // the protocol; a certificate is required.
    1040, 1042, 1043, 1044, 1045, 1046, 1048, 1049, 1070, 1116,
]
