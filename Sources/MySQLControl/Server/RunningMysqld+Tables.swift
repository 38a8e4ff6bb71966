import Concurrency
import MySQLWire

/// What a server found when it checked its tables.
package struct TableCheck: Hashable, Sendable {
    /// Tables that were looked at.
    package var tables: Int
    /// `schema.table: message` of each that is not in order.
    package var problems: [String]

    /// Creates a result.
    package init(tables: Int, problems: [String]) {
        (self.tables, self.problems) = (tables, problems)
    }
}

extension RunningMysqld {
    /// Runs `CHECK TABLE` on every InnoDB table, the system's own included.
    /// - Returns: what the server says of them.
    /// - Throws: ``MysqldError`` when it cannot be asked.
    package func checkTables() async throws -> TableCheck {
        let names = try await rows(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE engine = 'InnoDB' AND table_type = 'BASE TABLE' ORDER BY 1, 2"
        ) { row -> (String, String)? in
            guard row.count == 2, let schema = row[0], let table = row[1] else { return nil }
            return (schema, table)
        }
        var problems: [String] = []
        try await withSession { connection in
            for (schema, table) in names {
                let name = "\(SQLText.name(schema)).\(SQLText.name(table))"
                do {
                    let answer = try await withDeadline(Self.checkLimit, operation: "CHECK TABLE \(name)") {
                        try await connection.query("CHECK TABLE \(name)")
                    }
                    problems += Self.complaints(answer).map { "\(schema).\(table): \($0)" }
                } catch let error as MySQLWireError where error.serverErrno != nil {
                    problems.append("\(schema).\(table): \(error)")
                }
            }
        }
        return TableCheck(tables: names.count, problems: problems)
    }

    /// Terabytes take hours, a server that hangs takes for ever.
    private static let checkLimit = Duration.seconds(86_400)

    /// Every table's answer ends with a status that is `OK`; notes and warnings may come before.
    static func complaints(_ answer: ResultSet) -> [String] {
        answer.rows.compactMap { row in
            guard row.count >= 4, let kind = row[2]?.lowercased(), let text = row[3] else { return "no answer" }
            if kind == "error" { return text }
            return kind == "status" && text.uppercased() != "OK" ? text : nil
        }
    }
}
