package import FoundationEssentials
import GRPCCore
package import GRPCDialing
import GRPCNIOTransportHTTP2Posix
import Host
import SystemPackage
import Topology
import Workflows

/// How tablets are dialled: what the `--tablet-manager-grpc-*` and `--grpc-*` flags say.
package struct TabletDialing: Sendable {
    /// Encrypted when ``ClientTLS/isAsked``, or when there are lists of revoked certificates.
    package var tls = ClientTLS()
    /// File with lists of revoked certificates.
    package var revocationLists = ""
    /// Bytes of one message, both ways.
    package var maximumMessageSize = 16 << 20
    /// Without activity for so long while a call runs, the connection is probed.
    package var keepaliveTime = Duration.seconds(10)
    /// So long a probe may take.
    package var keepaliveTimeout = Duration.seconds(10)
    /// Bytes that may be on their way; 0: the library's default.
    package var windowSize = 0
    /// `--grpc-auth-static-client-creds`.
    package var credentials: StaticCredentials?

    /// Vitess's servers count more frequent probes as an attack.
    private static let shortestKeepalive = Duration.seconds(15)
    private static let largestFile = 16 << 20
    private var verifier: CertificateVerifier?

    /// The defaults of the flags.
    package init() {}

    /// Runs `body` with a connection of its own.
    /// - Throws: ``WorkflowError`` for a record that cannot be dialled; what `body` throws.
    func withClient<Result: Sendable>(
        of tablet: TabletRecord,
        within limit: Duration,
        _ body: (GRPCClient<HTTP2ClientTransport.Posix>, Metadata, CallOptions) async throws -> Result
    ) async throws -> Result {
        let port = try Self.port(of: tablet)
        let refusal = RefusalReason()
        let transport = try HTTP2ClientTransport.Posix(
            target: dialTarget(host: tablet.hostname, port: port),
            transportSecurity: security(of: tablet.hostname, refusal),
            config: .defaults { config in
                if !tls.serverName.isEmpty { config.http2.authority = tls.serverName }
                if windowSize > 0 { config.http2.targetWindowSize = windowSize }
                if keepaliveTime > .zero || keepaliveTimeout > .zero {
                    config.connection.keepalive = .init(
                        time: max(keepaliveTime, Self.shortestKeepalive),
                        timeout: max(keepaliveTimeout, .seconds(1)),
                        allowWithoutCalls: false
                    )
                }
            }
        )
        var options = CallOptions.defaults
        options.timeout = limit
        // Who cannot be reached is told at once and with the reason: every caller tries again, reading the topology anew.
        options.waitForReady = false
        options.maxRequestMessageBytes = maximumMessageSize
        options.maxResponseMessageBytes = maximumMessageSize
        let metadata = try credentials?.metadata() ?? [:]
        do {
            return try await withGRPCClient(transport: transport) { try await body($0, metadata, options) }
        } catch let error as RPCError {
            guard let reason = refusal.reason else { throw error }
            throw RPCError(code: error.code, message: "\(error.message): \(reason)", cause: error.cause)
        }
    }

    /// Whether tablets are spoken to by TLS.
    var isEncrypted: Bool { tls.isAsked || !revocationLists.isEmpty }

    private func security(
        of host: String,
        _ refusal: RefusalReason
    ) -> HTTP2ClientTransport.Posix.TransportSecurity {
        guard isEncrypted else { return .plaintext }
        guard let verifier else { return tls.security }
        return tls.security(verifiedBy: verifier, host: host, refusal: refusal)
    }

    /// Reads the files that are named, so that a wrong one is told before anything else is done.
    ///
    /// Lists of revoked certificates and a name to verify count from then on.
    /// - Parameter now: the time.
    /// - Returns: what an operator should look after.
    /// - Throws: ``WorkflowError``.
    package mutating func prepare(now: Date) throws -> [String] {
        guard isEncrypted else { return [] }
        guard tls.serverName.isEmpty || !isAddress(tls.serverName) else {
            throw WorkflowError(
                .refused,
                "--tablet-manager-grpc-server-name=\(tls.serverName) is an address and no name; HINT: leave it out when tablets' certificates name their addresses"
            )
        }
        if !revocationLists.isEmpty || !tls.serverName.isEmpty { verifier = try makeVerifier(now) }
        do {
            _ = try HTTP2ClientTransport.Posix(
                target: .ipv4(address: "127.0.0.1", port: 1),
                transportSecurity: security(of: "127.0.0.1", RefusalReason())
            )
        } catch {
            let files = [tls.certificate, tls.key, tls.authorities].filter { !$0.isEmpty }.joined(separator: ", ")
            throw WorkflowError(
                .refused,
                "cannot use the files for encrypted connections to tablets (\(files)): \(error); HINT: see --tablet-manager-grpc-ca, -cert and -key"
            )
        }
        return verifier?.warnings(at: now) ?? []
    }

    private func makeVerifier(_ now: Date) throws -> CertificateVerifier {
        func text(_ file: String) throws -> String {
            guard let bytes = try FileTree.read(FilePath(file), limit: Self.largestFile) else {
                throw FileError("open", FilePath(file), .noSuchFileOrDirectory)
            }
            return String(decoding: bytes, as: UTF8.self)
        }
        do {
            return try CertificateVerifier(
                lists: revocationLists.isEmpty ? nil : try text(revocationLists),
                authorities: tls.authorities.isEmpty ? nil : try text(tls.authorities),
                now: now
            )
        } catch {
            let files = [tls.authorities, revocationLists].filter { !$0.isEmpty }.joined(separator: ", ")
            throw WorkflowError(
                .refused,
                "cannot verify certificates of tablets with \(files): \(error); HINT: see --tablet-manager-grpc-crl, and that --tablet-manager-grpc-ca names the authority that issued them"
            )
        }
    }

    /// A record says before dialling whether there is anybody.
    private static func port(of tablet: TabletRecord) throws -> Int {
        func refusal(_ text: String) -> WorkflowError {
            WorkflowError(.topology, "cannot dial tablet \(tablet.alias): \(text)")
        }
        let hasNoAddress = tablet.hostname.isEmpty && tablet.mysqlHostname.isEmpty && tablet.ports.isEmpty
        if tablet.isShutDown || (hasNoAddress && tablet.kind != .unknown) { throw refusal("tablet is shutdown") }
        if tablet.hostname.isEmpty { throw refusal("empty tablet hostname") }
        if tablet.ports.isEmpty { throw refusal("no tablet port map") }
        let port = tablet.ports["grpc"] ?? 0
        guard (1...65_535).contains(port) else { throw refusal("invalid tablet grpc port: \(port)") }
        return port
    }
}
