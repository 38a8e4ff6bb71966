import MySQLWire

/// What a copy of the files must bring along, or cannot, as the running server tells it.
extension RunningMysqld {
    /// XA transactions that are prepared and not ended, each in one line; `nil` when the server does not let us see them.
    /// - Throws: ``MysqldError``.
    package func preparedTransactions() async throws -> [String]? {
        // Names may be any bytes: both forms show them in hexadecimal.
        let statement = dialect == .mariaDB ? "XA RECOVER FORMAT='SQL'" : "XA RECOVER CONVERT XID"
        do {
            return try await rows(statement) { row in row.map { $0 ?? "" }.joined(separator: ":") }.sorted()
        } catch let error as MysqldError {
            // An administrator without XA_RECOVER_ADMIN gets XAER_RMERR.
            guard (error.cause as? MySQLWireError)?.serverErrno == 1401 else { throw error }
            return nil
        }
    }

    /// Engines whose files lie in the folders of schemas, or that have none.
    private static let usualEngines = [
        "InnoDB", "MyISAM", "MRG_MyISAM", "CSV", "MEMORY", "ARCHIVE", "BLACKHOLE", "FEDERATED", "PERFORMANCE_SCHEMA",
        "Aria", "SEQUENCE",
    ]

    /// Engines that have tables here and keep them nobody knows where, each with the number of its tables and one of them.
    /// - Throws: ``MysqldError``.
    package func foreignEngines() async throws -> [String] {
        let usual = Self.usualEngines.map { SQLText.literal($0) }.joined(separator: ", ")
        return try await rows(
            """
            SELECT engine, COUNT(*), MIN(CONCAT(table_schema, '.', table_name)) FROM information_schema.tables \
            WHERE table_type NOT IN ('VIEW', 'SYSTEM VIEW') AND engine IS NOT NULL AND engine NOT IN (\(usual)) GROUP BY engine
            """
        ) { row in
            guard row.count == 3, let engine = row[0] else { return nil }
            return "\(engine) (\(row[1] ?? "") tables, as \(row[2] ?? ""))"
        }.sorted()
    }

    private static let encryptionSettings = [
        "innodb_redo_log_encrypt", "innodb_undo_log_encrypt", "binlog_encryption", "innodb_encrypt_log",
        "aria_encrypt_tables", "encrypt_binlog",
    ]

    /// Global variables by their names, as far as the server has them.
    /// - Throws: ``MysqldError``.
    package func settings(_ names: [String]) async throws -> [String: String] {
        Dictionary(
            try await rows(ServerSettings.statement(names), ServerSettings.pair),
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// Settings by which the server encrypts what is no tablespace, as `name = value`.
    /// - Throws: ``MysqldError``.
    package func encryptionBesideTablespaces() async throws -> [String] {
        try await settings(Self.encryptionSettings).compactMap { name, value in
            ["", "0", "OFF"].contains(value.uppercased()) ? nil : "\(name) = \(value)"
        }.sorted()
    }
}

/// How global variables are asked for, of our server and of others.
package enum ServerSettings {
    /// The statement.
    package static func statement(_ names: [String]) -> String {
        "SHOW GLOBAL VARIABLES WHERE Variable_name IN (\(names.map { SQLText.literal($0) }.joined(separator: ", ")))"
    }

    /// What a row of its answer says.
    package static func pair(_ row: [String?]) -> (String, String)? {
        guard row.count == 2, let name = row[0], let value = row[1] else { return nil }
        return (name.lowercased(), value)
    }
}
