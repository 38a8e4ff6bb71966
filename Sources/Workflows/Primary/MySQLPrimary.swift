import Catalog
import MySQLControl
package import MySQLWire
package import NIOCore
package import Positions
import Streams
package import Topology

/// Asks the primary's mysqld itself, as the replication user: for replication sets without tablet managers.
package struct MySQLPrimary: PrimaryTablet {
    private static let attemptLimit = Duration.seconds(60)
    private let credentials: MySQLConnection.Credentials
    private let tls: MySQLConnection.TLSMode
    private let eventLoops: any EventLoopGroup

    /// Uses the replication user and its TLS mode.
    package init(credentials: MySQLConnection.Credentials, tls: MySQLConnection.TLSMode, eventLoops: any EventLoopGroup)
    {
        (self.credentials, self.tls, self.eventLoops) = (credentials, tls, eventLoops)
    }

    package func position(of tablet: TabletRecord) async throws -> Position {
        let configuration = MySQLConnection.Configuration(
            address: .tcp(host: tablet.mysqlHostname, port: tablet.mysqlPort),
            credentials: credentials,
            tls: tls
        )
        do {
            return try await withDeadline(
                Self.attemptLimit,
                operation: "asking mysqld at \(configuration.address) for its position"
            ) {
                try await MySQLConnection.with(configuration, on: eventLoops) { connection in
                    let isMariaDB = connection.serverVersion.contains("MariaDB")
                    let dialect: ReplicationDialect = isMariaDB ? .mariaDB : .modern
                    let text = try await connection.query(dialect.executedPosition).scalar ?? ""
                    return try Position(text, flavor: dialect.flavor)
                }
            }
        } catch let error as MySQLWireError {
            guard isRefusal(error) else { throw error }
            throw PrimaryError(
                "can't get primary replication position: mysqld at \(configuration.address) refuses \(credentials.user): \(error); HINT: check --db-repl-user and --db-repl-password"
            )
        }
    }

    /// No retry heals that: access denied for user or host, or a demand of the server that we cannot meet.
    private func isRefusal(_ error: MySQLWireError) -> Bool {
        switch error.code {
        case .server(let errno, _): [1044, 1045, 1130, 1227].contains(errno)
        case .unsupported: true
        case .cannotConnect, .connectionLost, .protocolViolation, .tls, .resultTooLarge: false
        }
    }
}
