import FoundationEssentials
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import NIOCore
import Streams
import Synchronization
package import SystemPackage
import Topology
import Workflows

/// How tablets are dialled: what the `--tablet-manager-grpc-*` and `--grpc-*` flags say.
package struct TabletDialing: Sendable {
    /// Files for encrypted connections; encrypted when there are authorities, or a certificate with its key.
    package struct TLS: Hashable, Sendable {
        package var certificate = ""
        package var key = ""
        /// Empty: the system's authorities.
        package var authorities = ""
        /// The name to verify instead of the host's.
        package var serverName = ""

        /// No files: plain text.
        package init() {}

        package var isOn: Bool { !authorities.isEmpty || (!certificate.isEmpty && !key.isEmpty) }
    }

    package var tls = TLS()
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
        let transport = try HTTP2ClientTransport.Posix(
            target: Self.target(tablet.hostname, port),
            transportSecurity: security,
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
        return try await withGRPCClient(transport: transport) { try await body($0, metadata, options) }
    }

    /// An address is no name: the certificate is then compared with the address.
    private static func target(_ host: String, _ port: Int) -> any ResolvableTarget {
        switch try? NIOCore.SocketAddress(ipAddress: host, port: port) {
        case .v4: .ipv4(address: host, port: port)
        case .v6: .ipv6(address: host, port: port)
        default: .dns(host: host, port: port)
        }
    }

    /// Reads the files that are named, so that a wrong one is told before anything else is done.
    /// - Throws: ``WorkflowError``.
    package func check() throws {
        guard tls.isOn else { return }
        do {
            _ = try HTTP2ClientTransport.Posix(
                target: .ipv4(address: "127.0.0.1", port: 1),
                transportSecurity: security
            )
        } catch {
            let files = [tls.certificate, tls.key, tls.authorities].filter { !$0.isEmpty }.joined(separator: ", ")
            throw WorkflowError(
                .refused,
                "cannot use the files for encrypted connections to tablets (\(files)): \(error); HINT: see --tablet-manager-grpc-ca, -cert and -key"
            )
        }
    }

    private var security: HTTP2ClientTransport.Posix.TransportSecurity {
        guard tls.isOn else { return .plaintext }
        return .tls { config in
            if !tls.certificate.isEmpty, !tls.key.isEmpty {
                config.certificateChain = [.file(path: tls.certificate, format: .pem)]
                config.privateKey = .file(path: tls.key, format: .pem)
            }
            if !tls.authorities.isEmpty {
                config.trustRoots = .certificates([.file(path: tls.authorities, format: .pem)])
            }
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

/// User and password that are sent with every call, from a file that may be replaced at any time.
package final class StaticCredentials: Sendable {
    private struct Pair: Decodable {
        var username: String
        var password: String

        private struct Key: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }

            init?(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        /// Keys are matched in any case.
        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: Key.self)
            func text(_ name: String) throws -> String {
                guard let key = fields.allKeys.first(where: { $0.stringValue.lowercased() == name }) else { return "" }
                return try fields.decode(String.self, forKey: key)
            }
            (username, password) = (try text("username"), try text("password"))
        }
    }

    private static let largestFile = 1 << 16
    private let path: FilePath
    private let last: Mutex<Pair>

    /// Reads the file: a JSON object with `Username` and `Password`.
    /// - Throws: ``WorkflowError`` that names the file, and nothing of what is in it.
    package init(path: FilePath) throws {
        self.path = path
        last = Mutex(try Self.read(path))
    }

    /// The headers, from the file as it is now; while it cannot be read, as it was.
    func metadata() throws -> Metadata {
        let pair = last.withLock { last in
            if let new = try? Self.read(path) { last = new }
            return last
        }
        return ["username": .string(pair.username), "password": .string(pair.password)]
    }

    private static func read(_ path: FilePath) throws -> Pair {
        do {
            guard let bytes = try FileTree.read(path, limit: largestFile) else {
                throw FileError("open", path, .noSuchFileOrDirectory)
            }
            return try JSONDecoder().decode(Pair.self, from: Data(bytes))
        } catch {
            // What does not decode may hold the password.
            let why = (error as? FileError).map { "\($0)" } ?? "it is no JSON object with Username and Password"
            throw WorkflowError(
                .refused,
                "There was an error initializing client grpc.DialOption: \(path): \(why); HINT: see --grpc-auth-static-client-creds"
            )
        }
    }
}
