package import SystemPackage

extension MySQLConnection {
    /// Where a server listens.
    package enum Address: Hashable, Sendable, CustomStringConvertible {
        case unixSocket(FilePath)
        case tcp(host: String, port: Int)

        package var description: String {
            switch self {
            case .unixSocket(let path): path.string
            case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
            }
        }
    }

    /// Who logs in.
    ///
    /// The description never shows the password.
    package struct Credentials: Hashable, Sendable, CustomStringConvertible {
        package var user: String
        package var password: String
        package var database: String

        /// Creates credentials; an empty database selects none.
        package init(user: String, password: String = "", database: String = "") {
            (self.user, self.password, self.database) = (user, password, database)
        }

        package var description: String { "\(user)\(password.isEmpty ? "" : ":****")" }
    }

    /// Whether TLS is used.
    package enum TLSMode: Hashable, Sendable {
        case disabled
        /// If the server offers it and the connection leaves the machine; the certificate is not verified.
        case preferred
        /// Or no connection.
        case required(TLSSettings)
    }

    /// How a server's certificate is checked, and ours shown.
    package struct TLSSettings: Hashable, Sendable {
        /// What of the certificate is verified.
        package enum Verification: Hashable, Sendable { case none, certificateAuthority, identity }

        package var verification = Verification.none
        /// PEM file of trusted authorities; empty: the system's.
        package var authorities = ""
        /// PEM files of our certificate and key, both or none.
        package var certificate = ""
        package var key = ""
        /// Name to verify; empty: the host.
        package var serverName = ""

        /// Creates settings that encrypt and verify nothing.
        package init() {}
    }

    /// Everything that a connection needs.
    package struct Configuration: Hashable, Sendable {
        package var address: Address
        package var credentials: Credentials
        package var tls: TLSMode
        /// Limit for connecting and logging in together.
        package var connectTimeout: Duration

        /// Creates a configuration; without TLS and with 30 seconds to connect unless said otherwise.
        package init(
            address: Address,
            credentials: Credentials,
            tls: TLSMode = .disabled,
            connectTimeout: Duration = .seconds(30)
        ) {
            (self.address, self.credentials, self.tls, self.connectTimeout) = (
                address, credentials, tls, connectTimeout
            )
        }
    }
}
