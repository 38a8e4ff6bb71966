package import MySQLWire

/// What a server refuses for good: no waiting heals it, only somebody who changes something.
///
/// The one place that says so of error numbers, of the servers as of their clients; the texts of messages decide nothing,
/// they come in many languages. A number that is not here may heal by itself.
package enum ServerRefusal: Hashable, Sendable, CaseIterable {
    /// User, password or, in the same words, a demand of TLS.
    case credentials
    case expiredPassword
    case lockedAccount
    case demandsTLS
    case hostNotAllowed
    case hostBlocked
    /// A way to log in that we, or the server, do not have.
    case authenticationMethod
    /// Logged in, and not allowed to do what is needed.
    case privilege
    /// One side does not take the other's certificate, or does not speak TLS.
    case certificate
    /// Registering as a replica was refused.
    case replicaRefused
    /// Server id, server UUID or the GTID mode of source and replica do not go together.
    case sourceUnfit

    /// What the number means; `nil`: it may heal.
    package init?(errno: Int) {
        switch errno {
        case 1045, 1698: self = .credentials
        case 1820, 1862: self = .expiredPassword
        case 3118, 3955, 4151: self = .lockedAccount
        case 3159: self = .demandsTLS
        case 1130: self = .hostNotAllowed
        case 1129: self = .hostBlocked
        case 1043, 1251, 1275, 1524, 2049, 2054, 2059, 2061: self = .authenticationMethod
        case 1044, 1142, 1227, 1370: self = .privilege
        case 2026: self = .certificate
        case 1597, 13_120: self = .replicaRefused
        case 1593, 13_117: self = .sourceUnfit
        default: return nil
        }
    }

    /// What an error of our own connection means; `nil`: it may heal.
    package init?(_ error: MySQLWireError) {
        switch error.code {
        case .server(let errno, _): self.init(errno: Int(errno))
        case .unsupported: self = .authenticationMethod
        case .tls: self = .certificate
        case .cannotConnect, .connectionLost, .protocolViolation, .resultTooLarge: return nil
        }
    }

    /// Whose log-in it is: the flags that belong to it.
    package enum Login: String, Sendable { case dba, repl }

    /// What an operator does about it.
    package func hint(_ login: Login) -> String {
        let (user, password) = ("--db-\(login.rawValue)-user", "--db-\(login.rawValue)-password")
        return switch self {
        case .credentials where login == .repl:
            "check \(user) and \(password), and for which hosts the user is made; a user with REQUIRE SSL or REQUIRE X509 is refused in the same words (and everybody by MariaDB's require_secure_transport), since replication uses no TLS in this version"
        case .credentials:
            "check \(user), \(password) and the users that the init SQL or the backup holds"
        case .expiredPassword:
            "the password has expired: ALTER USER … IDENTIFIED BY … (or PASSWORD EXPIRE NEVER) and \(password)"
        case .lockedAccount: "ALTER USER … ACCOUNT UNLOCK for \(user)"
        case .demandsTLS:
            "the server has require_secure_transport, and replication uses no TLS in this version; switch it off there"
        case .hostNotAllowed: "the user of \(user) is not made for the host that connects: CREATE USER …@'%'"
        case .hostBlocked:
            "the server blocks this host after too many broken connections: FLUSH HOSTS, or TRUNCATE performance_schema.host_cache"
        case .authenticationMethod:
            "make the user of \(user) with caching_sha2_password or mysql_native_password"
        case .privilege where login == .dba: "GRANT ALL ON *.* to the user of \(user)"
        case .privilege, .replicaRefused: "GRANT REPLICATION SLAVE ON *.* to the user of \(user)"
        case .certificate: "see the certificates of both sides, and that the server speaks TLS"
        case .sourceUnfit:
            "server id, server UUID and gtid_mode of the primary and of the my.cnf used here"
        }
    }
}
