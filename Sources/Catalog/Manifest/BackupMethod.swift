/// Which engine took a backup: the manifest's `BackupMethod`.
package enum BackupMethod: Hashable, Sendable, CustomStringConvertible {
    case builtin, xtrabackup, mysqlShell
    /// One that we do not know.
    case other(String)

    private static let known: [(BackupMethod, String)] = [
        (.builtin, "builtin"), (.xtrabackup, "xtrabackup"), (.mysqlShell, "mysqlshell"),
    ]

    /// Reads the manifest's value; backups from before the key existed are builtin ones.
    package init(_ text: String) {
        self = text.isEmpty ? .builtin : Self.known.first { $0.1 == text }?.0 ?? .other(text)
    }

    package var description: String {
        if case .other(let text) = self { text } else { Self.known.first { $0.0 == self }?.1 ?? "" }
    }
}
