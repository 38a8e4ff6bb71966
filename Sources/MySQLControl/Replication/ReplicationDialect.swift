import MySQLWire
package import Positions
package import Vocabulary

/// The statements about replication, which differ from series to series.
package enum ReplicationDialect: Hashable, Sendable, CaseIterable {
    /// MySQL 8.2 and later.
    case modern
    /// MySQL 8.0.26 to 8.1.
    case mysql8026
    /// MySQL 5.7 and 8.0 up to 8.0.25.
    case legacy
    case mariaDB

    /// The dialect of a server.
    package init(_ version: MySQLVersion) {
        self =
            if version.product == .mariadb { .mariaDB } else if version.isAtLeast(8, 2, 0) {
                .modern
            } else if version.isAtLeast(8, 0, 26) {
                .mysql8026
            } else { .legacy }
    }

    var saysReplica: Bool { self == .modern || self == .mysql8026 }

    package var status: String {
        switch self {
        case .modern, .mysql8026: "SHOW REPLICA STATUS"
        case .legacy: "SHOW SLAVE STATUS"
        case .mariaDB: "SHOW ALL SLAVES STATUS"
        }
    }
    /// Starts replication from `source`, which ``setSource(_:)`` has named before.
    ///
    /// User and password are given here where that can be: what is given with the source is stored, and stays in the pages
    /// and the redo log of every copy even after the source is forgotten.
    package func start(_ source: ReplicationSource) -> String {
        let head = saysReplica ? "START REPLICA" : "START SLAVE"
        // MariaDB keeps them in a file of its own, which no backup holds.
        guard self != .mariaDB else { return head }
        return head + " USER = \(SQLText.literal(source.user)) PASSWORD = \(SQLText.literal(source.password))"
    }
    package var stop: String { saysReplica ? "STOP REPLICA" : "STOP SLAVE" }
    /// Forgets the source and everything about it.
    package var resetSource: String { saysReplica ? "RESET REPLICA ALL" : "RESET SLAVE ALL" }
    /// Keeps a server whose files name a source from following it as soon as it runs.
    package var skipStartArgument: String { saysReplica ? "--skip-replica-start" : "--skip-slave-start" }
    /// Forgets all binary logs and GTIDs.
    package var resetBinaryLogs: String { self == .modern ? "RESET BINARY LOGS AND GTIDS" : "RESET MASTER" }
    package var executedPosition: String {
        self == .mariaDB ? "SELECT @@GLOBAL.gtid_binlog_pos" : "SELECT @@global.gtid_executed"
    }
    /// `nil`: the server has no such thing.
    package var purgedPosition: String? { self == .mariaDB ? nil : "SELECT @@global.gtid_purged" }
    package var serverUUID: String? { self == .mariaDB ? nil : "SELECT @@global.server_uuid" }
    package var flavor: Position.Flavor { self == .mariaDB ? .mariaDB : .mysql56 }

    /// Forgets everything about replication; `semiSyncVariables` are the names that the server has.
    package func reset(semiSyncVariables: [String]) -> [String] {
        var statements = [stop, resetSource, resetBinaryLogs]
        if self == .mariaDB { statements.append("SET GLOBAL gtid_slave_pos = ''") }
        if semiSyncVariables.contains("rpl_semi_sync_source_enabled") {
            statements.append(
                "SET GLOBAL rpl_semi_sync_source_enabled = false, GLOBAL rpl_semi_sync_replica_enabled = false"
            )
        } else if semiSyncVariables.contains("rpl_semi_sync_master_enabled") {
            statements.append(
                "SET GLOBAL rpl_semi_sync_master_enabled = false, GLOBAL rpl_semi_sync_slave_enabled = false"
            )
        }
        return statements
    }

    /// Makes the server believe that it has executed exactly `position`.
    package func setPosition(_ position: Position) -> [String] {
        let text = SQLText.literal(position.text)
        return self == .mariaDB
            ? [resetBinaryLogs, "SET GLOBAL gtid_slave_pos = \(text)", "SET GLOBAL gtid_binlog_state = \(text)"]
            : [resetBinaryLogs, "SET GLOBAL gtid_purged = \(text)"]
    }

    /// Points replication at a source by GTID; who logs in there is said at the start.
    ///
    /// One option a line, as Vitess writes it.
    package func setSource(_ source: ReplicationSource) -> String {
        let prefix = saysReplica ? "SOURCE" : "MASTER"
        var options = [
            "\(prefix)_HOST = \(SQLText.literal(source.host))",
            "\(prefix)_PORT = \(source.port)",
        ]
        if self == .mariaDB {
            options.append("\(prefix)_USER = \(SQLText.literal(source.user))")
            options.append("\(prefix)_PASSWORD = \(SQLText.literal(source.password))")
        }
        options.append("\(prefix)_CONNECT_RETRY = \(source.connectRetrySeconds)")
        if let tls = source.tls {
            options.append("\(prefix)_SSL = 1")
            for (name, value) in [
                ("CA", tls.authorities), ("CAPATH", tls.authorityFolder), ("CERT", tls.certificate), ("KEY", tls.key),
            ]
            where !value.isEmpty {
                options.append("\(prefix)_SSL_\(name) = \(SQLText.literal(value))")
            }
            if tls.verifiesIdentity { options.append("\(prefix)_SSL_VERIFY_SERVER_CERT = 1") }
        } else if self != .mariaDB {
            options.append("GET_\(prefix)_PUBLIC_KEY = 1")
        }
        options.append(self == .mariaDB ? "MASTER_USE_GTID = current_pos" : "\(prefix)_AUTO_POSITION = 1")
        let head = saysReplica ? "CHANGE REPLICATION SOURCE TO" : "CHANGE MASTER TO"
        return head + "\n  " + options.joined(separator: ",\n  ")
    }
}

/// Where a replica gets its transactions from.
package struct ReplicationSource: Hashable, Sendable {
    /// How the connection to the source is encrypted.
    package struct TLS: Hashable, Sendable {
        package var authorities = ""
        package var authorityFolder = ""
        package var certificate = ""
        package var key = ""
        package var verifiesIdentity = false

        /// Creates settings that encrypt and verify nothing.
        package init() {}
    }

    package var host: String
    package var port: Int
    package var user: String
    package var password: String
    package var connectRetrySeconds = 10
    package var tls: TLS?

    /// Creates a source that is reached without TLS.
    package init(host: String, port: Int, user: String, password: String) {
        (self.host, self.port, self.user, self.password) = (host, port, user, password)
    }
}
