import Catalog
import MySQLWire
package import SystemPackage

/// A file of a tablespace, as the running server tells it.
package struct TablespaceFile: Hashable, Sendable {
    /// The server's name of the tablespace.
    package var name: String
    /// Where it lies, absolute.
    package var path: FilePath
    package var isEncrypted: Bool

    /// Describes a file.
    package init(name: String, path: FilePath, isEncrypted: Bool) {
        (self.name, self.path, self.isEncrypted) = (name, path, isEncrypted)
    }
}

extension RunningMysqld {
    /// The files of every tablespace that must be in a copy of this server.
    ///
    /// Not among them: temporary tablespaces, and undo tablespaces that MySQL makes anew.
    /// - Throws: ``MysqldError``.
    package func tablespaces() async throws -> [TablespaceFile] {
        dialect == .mariaDB ? try await tablespacesOfMariaDB() : try await tablespacesOfMySQL()
    }

    /// Paths are as the server has them: relative to one of three folders, which depends on the kind.
    private func tablespacesOfMySQL() async throws -> [TablespaceFile] {
        let folders =
            try await query("SELECT @@datadir, @@innodb_data_home_dir, @@innodb_undo_directory").rows.first ?? []
        let data = FilePath((folders.first ?? nil) ?? "")
        func folder(_ index: Int) -> FilePath {
            let text = folders.count > index ? folders[index] ?? "" : ""
            return text.isEmpty ? data : data.pushing(FilePath(text))
        }
        // MySQL 5.7 has the view under another name, and encryption as bit 13 of the flags.
        let (tablespaces, encryption) =
            mysqld.installation.version.isAtLeast(8, 0, 0)
            ? ("INNODB_TABLESPACES", "COALESCE(t.ENCRYPTION, 'N')")
            : ("INNODB_SYS_TABLESPACES", "IF(COALESCE(t.FLAG, 0) & 8192, 'Y', 'N')")
        return try await query(
            """
            SELECT f.TABLESPACE_NAME, f.FILE_NAME, f.FILE_TYPE, f.FILE_ID, \(encryption) \
            FROM information_schema.FILES f \
            LEFT JOIN information_schema.\(tablespaces) t ON t.SPACE = f.FILE_ID \
            WHERE f.ENGINE = 'InnoDB' AND f.FILE_TYPE IN ('TABLESPACE', 'UNDO LOG')
            """
        ).rows.compactMap { row -> TablespaceFile? in
            guard row.count == 5, let name = row[0], let file = row[1], !name.hasPrefix("innodb_undo_") else {
                return nil
            }
            let base = row[3] == "0" ? folder(1) : row[2] == "UNDO LOG" ? folder(2) : data
            return TablespaceFile(
                name: name,
                path: base.pushing(FilePath(file)).lexicallyNormalized(),
                isEncrypted: row[4] == "Y"
            )
        }
    }

    /// Only the first file of the system tablespace is listed; the others are in the setting that made them.
    private func tablespacesOfMariaDB() async throws -> [TablespaceFile] {
        let settings =
            try await query("SELECT @@datadir, @@innodb_data_home_dir, @@innodb_data_file_path").rows.first ?? []
        let data = FilePath((settings.first ?? nil) ?? "")
        let home = settings.count > 1 ? settings[1] ?? "" : ""
        let systemFiles = (settings.count > 2 ? settings[2] ?? "" : "").split(separator: ";").compactMap {
            $0.split(separator: ":").first.map { data.pushing(FilePath(home)).pushing(FilePath(String($0))) }
        }
        let listed = try await query(
            """
            SELECT s.NAME, s.FILENAME, IF(COALESCE(e.ENCRYPTION_SCHEME, 0) <> 0, 'Y', 'N') \
            FROM information_schema.INNODB_SYS_TABLESPACES s \
            LEFT JOIN information_schema.INNODB_TABLESPACES_ENCRYPTION e USING (SPACE) \
            WHERE s.NAME <> 'innodb_temporary'
            """
        ).rows.compactMap { row -> TablespaceFile? in
            guard row.count == 3, let name = row[0], let file = row[1] else { return nil }
            return TablespaceFile(
                name: name,
                path: data.pushing(FilePath(file)).lexicallyNormalized(),
                isEncrypted: row[2] == "Y"
            )
        }
        let known = Set(listed.map(\.path))
        return listed
            + systemFiles.map { $0.lexicallyNormalized() }.filter { !known.contains($0) }.map {
                TablespaceFile(name: "innodb_system", path: $0, isEncrypted: false)
            }
    }
}
