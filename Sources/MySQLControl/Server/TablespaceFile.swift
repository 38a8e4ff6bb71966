import MySQLWire
package import SystemPackage
import Vocabulary

/// A file of a tablespace, as the running server tells it.
package struct TablespaceFile: Hashable, Sendable {
    /// The server's name of the tablespace.
    package var name: String
    /// Where it lies, absolute.
    package var path: FilePath
    package var isEncrypted: Bool
    /// Whether a server without the file makes it anew, empty: MySQL's own undo tablespaces.
    package var isMadeAnew: Bool

    /// Describes a file.
    package init(name: String, path: FilePath, isEncrypted: Bool, isMadeAnew: Bool = false) {
        (self.name, self.path, self.isEncrypted, self.isMadeAnew) = (name, path, isEncrypted, isMadeAnew)
    }
}

extension RunningMysqld {
    /// The files of every tablespace that must be in a copy of this server.
    ///
    /// Not among them: temporary tablespaces.
    /// - Throws: ``MysqldError``.
    package func tablespaces() async throws -> [TablespaceFile] {
        dialect == .mariaDB ? try await tablespacesOfMariaDB() : try await tablespacesOfMySQL()
    }

    /// Paths are as the server has them: relative to one of three folders, which depends on the kind.
    private func tablespacesOfMySQL() async throws -> [TablespaceFile] {
        let folders =
            try await query("SELECT @@datadir, @@innodb_data_home_dir, @@innodb_undo_directory").rows.first ?? []
        let data = FilePath((folders.first ?? nil) ?? "")
        let (home, undo) = (folder(1, of: folders, below: data), folder(2, of: folders, below: data))
        // MySQL 5.7 has the view under another name, and encryption as bit 13 of the flags.
        let encrypted =
            mysqld.installation.version.isAtLeast(8, 0, 0)
            ? "INNODB_TABLESPACES WHERE ENCRYPTION = 'Y'" : "INNODB_SYS_TABLESPACES WHERE FLAG & 8192"
        // By hand: older servers join two of these views row by row.
        let keys = Set(try await rows("SELECT SPACE FROM information_schema.\(encrypted)") { $0.first ?? nil })
        return try await rows(
            """
            SELECT TABLESPACE_NAME, FILE_NAME, FILE_TYPE, FILE_ID FROM information_schema.FILES \
            WHERE ENGINE = 'InnoDB' AND FILE_TYPE IN ('TABLESPACE', 'UNDO LOG')
            """
        ) { row -> TablespaceFile? in
            guard row.count == 4, let name = row[0], let file = row[1], let space = row[3] else { return nil }
            let base = space == "0" ? home : row[2] == "UNDO LOG" ? undo : data
            return TablespaceFile(
                name: name,
                path: base.pushing(FilePath(file)).lexicallyNormalized(),
                isEncrypted: keys.contains(space),
                // Since 8.0; before, each must be there.
                isMadeAnew: name.hasPrefix("innodb_undo_")
            )
        }
    }

    private func folder(_ index: Int, of folders: [String?], below data: FilePath) -> FilePath {
        let text = folders.count > index ? folders[index] ?? "" : ""
        return text.isEmpty ? data : data.pushing(FilePath(text))
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
        let keys = Set(
            try await rows(
                "SELECT SPACE FROM information_schema.INNODB_TABLESPACES_ENCRYPTION WHERE ENCRYPTION_SCHEME <> 0"
            ) { $0.first ?? nil }
        )
        let listed = try await rows(
            "SELECT NAME, FILENAME, SPACE FROM information_schema.INNODB_SYS_TABLESPACES WHERE NAME <> 'innodb_temporary'"
        ) { row -> TablespaceFile? in
            guard row.count == 3, let name = row[0], let file = row[1], let space = row[2] else { return nil }
            return TablespaceFile(
                name: name,
                path: data.pushing(FilePath(file)).lexicallyNormalized(),
                isEncrypted: keys.contains(space)
            )
        }
        let known = Set(listed.map(\.path))
        return listed
            + systemFiles.map { $0.lexicallyNormalized() }.filter { !known.contains($0) }.map {
                TablespaceFile(name: "innodb_system", path: $0, isEncrypted: false)
            }
    }
}
