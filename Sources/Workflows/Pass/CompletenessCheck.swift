import Concurrency
import Engines
import Logging
import MySQLControl
import SystemPackage

/// Sees that nothing of the server is left out of its backup silently.
struct CompletenessCheck: Sendable {
    /// Of the engine that will copy the server.
    let engine: EngineTraits
    /// `--allow-incomplete-tablespaces`: look, say, and go on.
    let allowed: Bool
    let threads: BlockingThreads
    let logger: Logger

    private static let namesShown = 10

    /// Compares what the running server has with the files that would be copied.
    /// - Parameters:
    ///   - server: does not change any more.
    ///   - directory: of its files.
    ///   - prepared: what it said of itself.
    /// - Returns: what those who copy the files must know.
    /// - Throws: ``WorkflowError`` that names what would be missing.
    func run(
        on server: any InspectedServer,
        _ directory: TabletDirectory,
        _ prepared: PreparedServer
    ) async throws -> ServerFiles {
        let tablespaces = try await step(.mysqld, "cannot ask the server for its tablespaces") {
            try await server.tablespaces()
        }
        let (leftOut, known) = try await step(.copy, "cannot list the files of the server") {
            try await threads.run {
                (
                    try BackupCompleteness.leftOut(tablespaces, of: directory),
                    PathSet(tablespaces.lazy.map(\.path))
                )
            }
        }
        if engine.leavesOut.contains(.tablespacesElsewhere) {
            try tell(
                leftOut.filter { !$0.isMadeAnew },
                "would be missing in the backup, since their files lie outside of what the \(engine.method) engine copies",
                "move them below the data directory"
            )
        }
        if engine.leavesOut.contains(.keyrings) {
            try tell(
                tablespaces.filter(\.isEncrypted),
                "are encrypted, and the keyring that opens them is not in the backup",
                "keep the keyring safe with the backups"
            )
            try await checkEncryption(on: server)
        }
        if engine.leavesOut.contains(.otherStorageEngines) { try await checkEngines(on: server) }
        let undo = leftOut.first(where: \.isMadeAnew)?.path.removingLastComponent()
        try checkUndo(undo, prepared)
        return ServerFiles(tablespaces: known, leavesOutUndo: undo == nil && prepared.undoOfPrimary != nil)
    }

    private func checkEngines(on server: any InspectedServer) async throws {
        let engines = try await step(.mysqld, "cannot ask the server for the engines of its tables") {
            try await server.foreignEngines()
        }
        guard !engines.isEmpty else { return }
        try refuse(
            "the \(engine.method) engine does not know where these storage engines have their files: \(engines.joined(separator: ", "))",
            "convert the tables to InnoDB"
        )
    }

    private func checkEncryption(on server: any InspectedServer) async throws {
        let settings = try await step(.mysqld, "cannot ask the server what it encrypts") {
            try await server.encryptionBesideTablespaces()
        }
        guard !settings.isEmpty else { return }
        try refuse(
            "the server encrypts with a keyring that is not in the backup (\(settings.joined(separator: ", "))), without which what is restored may not start",
            "keep the keyring safe with the backups"
        )
    }

    /// MySQL starts without its own undo tablespaces, and takes for committed then what was only prepared.
    ///
    /// Where the tablets keep them elsewhere than our server they are left out: a tablet that finds them at another place
    /// than its `innodb_undo_directory` says does not start.
    /// - Parameters:
    ///   - outside: where those of our server lie, when they are not copied.
    ///   - prepared: what it said of itself.
    /// - Throws: ``WorkflowError`` when a transaction needs them.
    private func checkUndo(_ outside: FilePath?, _ prepared: PreparedServer) throws {
        let transactions = prepared.preparedTransactions
        if transactions == nil {
            logger.warning(
                "the server does not show prepared XA transactions to --db-dba-user: nobody compares them; HINT: grant it XA_RECOVER_ADMIN"
            )
        }
        guard let folder = outside ?? prepared.undoOfPrimary else {
            if let count = transactions?.count, count > 0 {
                logger.info("\(count) prepared XA transactions are in the backup and wait for their end")
            }
            return
        }
        let whose = outside == nil ? "undo tablespaces of the primary lie" : "undo tablespaces lie"
        guard transactions?.isEmpty == true else {
            return try refuse(
                "\(whose) in \(folder), outside of what the \(engine.method) engine copies, and \(transactions.map { "\($0.count)" } ?? "maybe some") prepared XA transactions need them: they would be committed after a restore",
                "end the transactions, or let innodb_undo_directory be the data directory, here and on the tablets"
            )
        }
        logger.warning(
            "\(whose) in \(folder) and are not in the backup: no transaction needs them, and mysqld makes them anew"
        )
    }

    private func tell(_ tablespaces: [TablespaceFile], _ what: String, _ advice: String) throws {
        guard !tablespaces.isEmpty else { return }
        var names = tablespaces.sorted { $0.name < $1.name }.prefix(Self.namesShown).map { "\($0.name) (\($0.path))" }
        if tablespaces.count > names.count { names.append("and \(tablespaces.count - names.count) more") }
        try refuse("\(tablespaces.count) tablespaces \(what): \(names.joined(separator: ", "))", advice)
    }

    private func refuse(_ text: String, _ advice: String) throws {
        guard allowed else {
            throw WorkflowError(
                .refused,
                "not taking backup: \(text); HINT: \(advice), or give --allow-incomplete-tablespaces"
            )
        }
        logger.warning("\(text); going on because of --allow-incomplete-tablespaces")
    }
}
