package import MySQLWire
package import Positions
import Vocabulary

/// What a replica says of itself.
package struct ReplicationStatus: Hashable, Sendable {
    /// State of one of the two threads.
    package enum ThreadState: Hashable, Sendable {
        case unknown, stopped, connecting, running

        init(_ text: String?) {
            self =
                switch (text ?? "").lowercased() {
                case "yes", "on", "true": .running
                case "no", "off", "false": .stopped
                case "connecting": .connecting
                default: .unknown
                }
        }
    }

    /// Executed transactions.
    package var position: Position
    package var receiver: ThreadState
    package var applier: ThreadState
    package var lastReceiverError: String
    package var lastReceiverErrno: Int
    package var lastApplierError: String
    package var lastApplierErrno: Int
    package var sourceHost: String
    package var sourcePort: Int
    /// What the two threads say they are doing.
    package var state: String
    /// Transactions that have been received since replication was last pointed at a source; `nil`: not told.
    package var retrieved: Position?
    /// How far the receiver is in the source's binary logs.
    package var sourceLog: SourceLog
    /// Grows while a transaction is being applied, also a single one that takes hours.
    package var work: Int64 = 0

    /// A place in the source's binary logs.
    package struct SourceLog: Hashable, Sendable, Comparable {
        package var file: String
        package var position: Int64

        /// A place; the empty name is before all others.
        package init(file: String = "", position: Int64 = 0) {
            (self.file, self.position) = (file, position)
        }

        package static func < (left: SourceLog, right: SourceLog) -> Bool {
            // Numbers behind the dot grow by a digit once there are a million.
            (left.file.utf8.count, left.file, left.position) < (right.file.utf8.count, right.file, right.position)
        }
    }

    /// Connected, or about to be without having failed.
    package var isReceiverHealthy: Bool {
        receiver == .running || (receiver == .connecting && lastReceiverError.isEmpty)
    }
    package var isHealthy: Bool { isReceiverHealthy && applier == .running }

    /// Reads the answer to the status statement.
    /// - Returns: `nil` when the server is no replica.
    /// - Throws: ``MysqldError`` with code `replication` for several channels or a position that does not parse.
    package init?(_ result: ResultSet, dialect: ReplicationDialect) throws(MysqldError) {
        guard result.rows.count <= 1 else {
            throw MysqldError(
                .replication,
                "query returned \(result.rows.count) rows, expected 1: the server has several replication channels"
            )
        }
        guard !result.rows.isEmpty else { return nil }
        func value(_ modern: String, _ legacy: String) -> String {
            (result.value(modern) ?? result.value(legacy)) ?? ""
        }
        let column = dialect == .mariaDB ? "Gtid_Slave_Pos" : "Executed_Gtid_Set"
        let text = result.value(column) ?? ""
        do {
            position = try Position(text, flavor: dialect.flavor)
        } catch {
            let flavor = dialect == .mariaDB ? "MariaDB" : "MySQL 5.6"
            throw MysqldError(
                .replication,
                "ReplicationStatus can't parse \(flavor) GTID (\(column): \"\(PrintableText.excerpt(text))\"): \(error)"
            )
        }
        receiver = ThreadState(value("Replica_IO_Running", "Slave_IO_Running"))
        applier = ThreadState(value("Replica_SQL_Running", "Slave_SQL_Running"))
        lastReceiverError = value("Last_IO_Error", "Last_IO_Error")
        lastReceiverErrno = Int(value("Last_IO_Errno", "Last_IO_Errno")) ?? 0
        lastApplierError = StatementLog.withoutQuery(value("Last_SQL_Error", "Last_SQL_Error"))
        lastApplierErrno = Int(value("Last_SQL_Errno", "Last_SQL_Errno")) ?? 0
        sourceHost = value("Source_Host", "Master_Host")
        sourcePort = Int(value("Source_Port", "Master_Port")) ?? 0
        let states = [
            value("Replica_SQL_Running_State", "Slave_SQL_Running_State"), value("Replica_IO_State", "Slave_IO_State"),
        ]
        state = states.filter { !$0.isEmpty }.joined(separator: "; ")
        retrieved = try? Position(
            result.value(dialect == .mariaDB ? "Gtid_IO_Pos" : "Retrieved_Gtid_Set") ?? "",
            flavor: dialect.flavor
        )
        sourceLog = SourceLog(
            file: value("Source_Log_File", "Master_Log_File"),
            position: Int64(value("Read_Source_Log_Pos", "Read_Master_Log_Pos")) ?? 0
        )
    }
}
