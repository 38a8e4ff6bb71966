import Concurrency
import MySQLControl
package import MySQLWire
package import NIOCore
package import Topology
import Workflows

/// Logs in as a replica does, and registers as one.
///
/// Hours later the server that was restored does the same: what it would be refused then is known now.
package struct MySQLReplicationAccess: ReplicationAccess {
    private static let attemptLimit = Duration.seconds(60)
    private let credentials: MySQLConnection.Credentials
    private let tls: MySQLConnection.TLSMode
    private let serverID: UInt32
    private let eventLoops: any EventLoopGroup

    /// Uses the replication user and its TLS mode, and the server id that our mysqld will have.
    package init(
        credentials: MySQLConnection.Credentials,
        tls: MySQLConnection.TLSMode,
        serverID: UInt32,
        eventLoops: any EventLoopGroup
    ) {
        (self.credentials, self.tls, self.serverID, self.eventLoops) = (credentials, tls, serverID, eventLoops)
    }

    package func check(_ tablet: TabletRecord) async throws {
        let configuration = MySQLConnection.Configuration(
            address: .tcp(host: tablet.mysqlHostname, port: tablet.mysqlPort),
            credentials: credentials,
            tls: tls
        )
        let place = "mysqld of \(tablet.alias) at \(configuration.address)"
        do {
            try await withDeadline(Self.attemptLimit, operation: "asking \(place) whether it can be replicated") {
                try await MySQLConnection.with(configuration, on: eventLoops) { connection in
                    try await checkLogs(connection, place)
                    try await register(connection, place)
                }
            }
        } catch let error as MySQLWireError {
            guard let refusal = ServerRefusal(error) else { throw error }
            throw PrimaryError(
                "\(place) refuses \(credentials.user), as whom replication will connect: \(error); HINT: \(refusal.hint(.repl))"
            )
        }
    }

    private func checkLogs(_ connection: MySQLConnection, _ place: String) async throws {
        let isMariaDB = connection.serverVersion.contains("MariaDB")
        let answer =
            try await connection.query(
                "SELECT @@global.log_bin, \(isMariaDB ? "'ON'" : "@@global.gtid_mode")"
            ).rows.first ?? []
        guard answer.count == 2 else { return }
        guard answer[0] == "1" || answer[0] == "ON" else {
            throw PrimaryError("\(place) writes no binary log; HINT: switch log_bin on there")
        }
        guard answer[1] != "OFF" else {
            throw PrimaryError(
                "\(place) has gtid_mode = OFF; HINT: replication goes by GTIDs, switch gtid_mode on there"
            )
        }
    }

    private func register(_ connection: MySQLConnection, _ place: String) async throws {
        do {
            try await connection.registerReplica(serverID: serverID)
        } catch let error as MySQLWireError {
            guard ServerRefusal(error) != nil else { throw error }
            throw PrimaryError(
                "\(place) does not let \(credentials.user) replicate: \(error); HINT: \(ServerRefusal.replicaRefused.hint(.repl))"
            )
        }
    }
}
