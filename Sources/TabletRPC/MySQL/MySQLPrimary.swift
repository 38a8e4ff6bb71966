import Concurrency
import MySQLControl
package import MySQLWire
package import NIOCore
package import Positions
package import Topology
import Workflows

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
        try await ask(tablet) { connection, dialect in
            let text = try await connection.query(dialect.executedPosition).scalar ?? ""
            return try Position(text, flavor: dialect.flavor)
        }
    }

    package func purgedPosition(of tablet: TabletRecord) async throws -> Position? {
        try await ask(tablet) { connection, dialect in
            guard let statement = dialect.purgedPosition else { return try await Self.beginOfLogs(connection) }
            return try Position(try await connection.query(statement).scalar ?? "", flavor: dialect.flavor)
        }
    }

    package func settings(_ names: [String], of tablet: TabletRecord) async throws -> [String: String]? {
        try await ask(tablet) { connection, _ in
            let answer = try await connection.query(ServerSettings.statement(names))
            return Dictionary(answer.rows.compactMap(ServerSettings.pair), uniquingKeysWith: { first, _ in first })
        }
    }

    /// Where MariaDB's oldest binary log begins, which it tells everybody who knows the log's name.
    ///
    /// Which logs there are it tells only whom it trusts more; but their names are numbered, and a log that it no longer
    /// has begins nowhere.
    private static func beginOfLogs(_ connection: MySQLConnection) async throws -> Position? {
        let current = try await connection.query("SHOW STATUS LIKE 'binlog_snapshot_file'").rows.first?.last ?? nil
        guard let current, let dot = current.lastIndex(of: "."),
            let newest = Int(current[current.index(after: dot)...])
        else { return nil }
        let digits = current.distance(from: dot, to: current.endIndex) - 1
        func begin(_ number: Int) async throws -> String? {
            let text = String(number)
            let name = current[...dot] + String(repeating: "0", count: max(0, digits - text.count)) + text
            return try await connection.query("SELECT BINLOG_GTID_POS(\(SQLText.literal(String(name))), 4)").scalar
        }
        // The oldest number that is there.
        var (lower, upper) = (1, newest)
        while lower < upper {
            let middle = (lower + upper) / 2
            if try await begin(middle) == nil { lower = middle + 1 } else { upper = middle }
        }
        return try await begin(lower).map { try Position($0, flavor: .mariaDB) }
    }

    private func ask<Answer: Sendable>(
        _ tablet: TabletRecord,
        _ question: @escaping @Sendable (MySQLConnection, ReplicationDialect) async throws -> Answer
    ) async throws -> Answer {
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
                    return try await question(connection, isMariaDB ? .mariaDB : .modern)
                }
            }
        } catch let error as MySQLWireError {
            guard let refusal = ServerRefusal(error) else { throw error }
            throw PrimaryError(
                "can't get primary replication position: mysqld at \(configuration.address) refuses \(credentials.user): \(error); HINT: \(refusal.hint(.repl))"
            )
        }
    }
}
