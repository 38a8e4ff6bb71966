import NIOSSL
import Testing

@testable import GRPCDialing

/// Which errors of the TLS library are refusals; what real handshakes give is tried with the client of tablet managers.
@Suite("refused handshakes")
struct HandshakeRefusalTests {
    @Test(
        "entries of the library's stack are judged by their number",
        arguments: [
            ("Error: 268435581 error:1000007d:SSL routines:CERTIFICATE_VERIFY_FAILED at h.cc:393", true),
            ("Error: 268435703 error:100000f7:SSL routines:WRONG_VERSION_NUMBER at t.cc:231", true),
            ("Error: 268436572 error:1000045c:SSL routines:TLSV1_ALERT_CERTIFICATE_REQUIRED at t.cc:582", true),
            ("Error: 268436504 error:10000418:SSL routines:TLSV1_ALERT_UNKNOWN_CA at t.cc:582", true),
            ("Error: 268436496 anything", true),
            // An internal error of the other side, a number of another part, no number.
            ("Error: 268436536 error:10000438:SSL routines:TLSV1_ALERT_INTERNAL_ERROR at t.cc:582", false),
            ("Error: 184549501 error:0b00007d:X.509 certificate routines", false),
            ("Error:  EOF during handshake", false), ("CERTIFICATE_VERIFY_FAILED", false), ("", false),
        ]
    )
    func entries(_ description: String, _ isOne: Bool) {
        #expect(isRefusal(entry: description) == isOne)
    }

    @Test("errors with a type are judged by it")
    func types() {
        #expect(isRefusedHandshake(NIOSSLExtraError.failedToValidateHostname))
        #expect(isRefusedHandshake(NIOSSLExtraError.serverHostnameImpossibleToMatch))
        #expect(isRefusedHandshake(NIOSSLError.unableToValidateCertificate))
        // Whoever is being started breaks off like this.
        #expect(!isRefusedHandshake(NIOSSLError.handshakeFailed(.sslError([.eofDuringHandshake]))))
        #expect(!isRefusedHandshake(NIOSSLError.uncleanShutdown))
        #expect(!isRefusedHandshake(CancellationError()))
    }
}
