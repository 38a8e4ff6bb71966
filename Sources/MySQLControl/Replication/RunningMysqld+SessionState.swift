import MySQLWire
import Vocabulary

/// What lives in a server's memory and is in none of its files: rows of MEMORY tables, temporary tables of its applier.
extension RunningMysqld {
    /// The tables whose rows end with the server.
    /// - Throws: ``MysqldError``.
    package func memoryTables() async throws -> [TableName] {
        try await tables(
            "engine = 'MEMORY' AND table_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')"
        )
    }

    /// Those of `tables` that there are, with whatever engine.
    /// - Throws: ``MysqldError``.
    package func existing(_ tables: [TableName]) async throws -> [TableName] {
        guard !tables.isEmpty else { return [] }
        let names = tables.map { "(\(SQLText.literal($0.schema)), \(SQLText.literal($0.table)))" }
        return try await self.tables("(table_schema, table_name) IN (\(names.joined(separator: ", ")))")
    }

    private func tables(_ condition: String) async throws -> [TableName] {
        try await query(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE \(condition) ORDER BY 1, 2"
        ).rows.compactMap { row in
            guard row.count == 2, let schema = row[0], let table = row[1] else { return nil }
            return TableName(schema: schema, table: table)
        }
    }

    /// Empties tables that are empty after a start, without writing it down.
    ///
    /// The server would do that itself the first time that somebody opens one, and give it a GTID of its own; whatever the
    /// session says, since MySQL 8.0.22 at the latest. What makes a table anew does not open it.
    /// - Throws: ``MysqldError``.
    package func emptyUnlogged(_ tables: [TableName]) async throws {
        guard !tables.isEmpty else { return }
        let wasReadOnly = try await setSuperReadOnly(false)
        try await execute(["SET SESSION sql_log_bin = 0"] + tables.map { "TRUNCATE TABLE \($0.sql)" })
        if wasReadOnly { try await setSuperReadOnly(true) }
    }

    /// Lets the applier, which must be stopped, leave these tables out, besides what my.cnf leaves out already.
    /// - Throws: ``MysqldError``.
    package func leaveOut(_ tables: [TableName]) async throws {
        if dialect == .mariaDB {
            let known = try await query("SELECT @@GLOBAL.replicate_ignore_table").scalar ?? ""
            // A comma in a name cannot be written there: such a table goes on to be replicated.
            let names = (known.isEmpty ? [] : [known]) + tables.map(\.description).filter { !$0.contains(",") }
            return try await execute([
                "SET GLOBAL replicate_ignore_table = \(SQLText.literal(names.joined(separator: ",")))"
            ])
        }
        var known: [TableName] = []
        if mysqld.installation.version.isAtLeast(8, 0, 0) {
            known = try await query(
                "SELECT FILTER_RULE FROM performance_schema.replication_applier_global_filters WHERE FILTER_NAME = 'REPLICATE_IGNORE_TABLE'"
            ).rows.flatMap { Self.filtered(($0.first ?? nil) ?? "") }
        }
        let names = (known + tables).map(\.sql).joined(separator: ", ")
        try await execute(["CHANGE REPLICATION FILTER REPLICATE_IGNORE_TABLE = (\(names))"])
    }

    /// Reads `shop.a,shop.b`.
    private static func filtered(_ rule: String) -> [TableName] {
        rule.split(separator: ",").compactMap { name in
            let parts = name.split(separator: ".", maxSplits: 1)
            guard parts.count == 2 else { return nil }
            return TableName(schema: String(parts[0]).trimmedQuotes, table: String(parts[1]).trimmedQuotes)
        }
    }

    /// Whether a statement that may have changed what a left out table is, or another one beside it, has come from the
    /// source and was not executed.
    ///
    /// Rows that are left out raise no error, a statement raises 1237; which one it was says the summary of digests.
    /// - Returns: `nil` where the server does not count.
    /// - Throws: ``MysqldError``.
    package func hasIgnoredChanges(of tables: [TableName]) async throws -> Bool? {
        guard dialect != .mariaDB,
            let raised = try await query(
                "SELECT IF(@@performance_schema, SUM(SUM_ERROR_RAISED), NULL) FROM performance_schema.events_errors_summary_global_by_error WHERE ERROR_NUMBER = 1237"
            ).scalar.flatMap({ Int($0) })
        else { return nil }
        guard raised > 0 else { return false }
        let several = try await query(
            "SELECT COALESCE(SUM(COUNT_STAR), 0) FROM performance_schema.events_statements_summary_global_by_event_name WHERE EVENT_NAME IN ('statement/sql/update_multi', 'statement/sql/delete_multi')"
        ).scalar
        if several != "0" { return true }
        let names = Set(tables.map(\.table)).map { "DIGEST_TEXT LIKE \(Self.pattern(SQLText.name($0)))" }
        // A row without a digest stands for all that had no room.
        return try await query(
            "SELECT COUNT(*) FROM performance_schema.events_statements_summary_by_digest WHERE DIGEST IS NULL OR (DIGEST_TEXT REGEXP '^(ALTER|DROP|RENAME|CREATE) ' AND (\(names.isEmpty ? "TRUE" : names.joined(separator: " OR "))))"
        ).scalar != "0"
    }

    private static func pattern(_ text: String) -> String {
        var escaped = ""
        for character in text {
            if "\\%_".contains(character) { escaped.append("\\") }
            escaped.append(character)
        }
        return SQLText.literal("%\(escaped)%")
    }

    /// Temporary tables that the applier holds open for sessions of the source.
    /// - Throws: ``MysqldError``.
    package func openTemporaryTables() async throws -> Int {
        try await query(
            "SHOW GLOBAL STATUS WHERE Variable_name IN ('Replica_open_temp_tables', 'Slave_open_temp_tables')"
        ).rows.compactMap { ($0.last ?? nil).flatMap { Int($0) } }.max() ?? 0
    }
}

extension String {
    fileprivate var trimmedQuotes: String {
        count >= 2 && hasPrefix("`") && hasSuffix("`") ? String(dropFirst().dropLast()) : self
    }
}
