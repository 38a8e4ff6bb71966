import Engines
import Logging
import MySQLControl
import Streams
import SystemPackage

/// Sees that nothing of the server is left out of its backup silently.
struct CompletenessCheck: Sendable {
    /// `--allow-incomplete-tablespaces`: look, say, and go on.
    let allowed: Bool
    let threads: BlockingThreads
    let logger: Logger

    private static let namesShown = 10

    /// Compares the running server's tablespaces with the files that would be copied.
    /// - Throws: ``WorkflowError`` that names what would be missing.
    func run(on server: any ReplicaServer, _ directory: TabletDirectory) async throws {
        let tablespaces = try await step(.mysqld, "cannot ask the server for its tablespaces") {
            try await server.tablespaces()
        }
        let leftOut = try await step(.copy, "cannot list the files of the server") {
            try await threads.run { try BackupCompleteness.leftOut(tablespaces, of: directory) }
        }
        try tell(
            leftOut,
            "would be missing in the backup, since their files lie outside of what the builtin engine copies",
            "move them below the data directory"
        )
        try tell(
            tablespaces.filter(\.isEncrypted),
            "are encrypted, and the keyring that opens them is not in the backup",
            "keep the keyring safe with the backups"
        )
    }

    private func tell(_ tablespaces: [TablespaceFile], _ what: String, _ advice: String) throws {
        guard !tablespaces.isEmpty else { return }
        var names = tablespaces.sorted { $0.name < $1.name }.prefix(Self.namesShown).map { "\($0.name) (\($0.path))" }
        if tablespaces.count > names.count { names.append("and \(tablespaces.count - names.count) more") }
        let text = "\(tablespaces.count) tablespaces \(what): \(names.joined(separator: ", "))"
        guard allowed else {
            throw WorkflowError(
                .refused,
                "not taking backup: \(text); HINT: \(advice), or give --allow-incomplete-tablespaces"
            )
        }
        logger.warning("\(text); going on because of --allow-incomplete-tablespaces")
    }
}
