import Catalog
import Compression
import Concurrency
import Engines
import Logging
import MySQLControl
import NIOCore
import Positions
import Storage
import Vocabulary

/// Restores a backup that was just committed, starts mysqld on it, and lets it check everything (`--verify-after`).
struct Verification: Sendable {
    let backups: ShardBackups
    let engines: RestoreEngines
    let threads: BlockingThreads
    let progress: PassProgress
    let clock: Clocks
    let logger: Logger

    private static let problemsShown = 5

    /// Verifies, and leaves the result beside the backup.
    ///
    /// What keeps the backup from being looked at (no room, a mysqld that cannot be run) leaves no result.
    /// - Parameters:
    ///   - name: of a complete backup.
    ///   - prepared: the server that it was taken of.
    ///   - mysqld: ours, stopped.
    ///   - claim: its folder, which is emptied.
    /// - Throws: ``WorkflowError``; the backup stays as it is.
    func run(
        _ name: String,
        of prepared: PreparedServer,
        on mysqld: any TabletServer,
        _ claim: TabletClaim
    ) async throws {
        logger.info("Verifying backup \(backups.shard)/\(name): restoring it from storage")
        let begun = clock.elapsed()
        let reader = try backups.storage.backup(name, of: backups.shard)
        guard case .complete(let manifest) = try await reader.manifest() else {
            throw WorkflowError(
                .verification,
                "backup \(backups.shard)/\(name) has no readable MANIFEST after its commit"
            )
        }
        var record = VerificationRecord(
            result: .good,
            time: clock.now(),
            seconds: 0,
            files: manifest.builtin?.files.count ?? 0,
            bytes: manifest.builtin?.totalSizes?.raw ?? 0
        )
        let meter = TransferMeter()
        record.reason = try await progress.during(.verify, transfer: meter) {
            if let damage = try await restore(manifest, reader, mysqld, claim, meter) { return damage }
            return try await check(manifest, of: prepared, on: mysqld, &record)
        }
        if record.reason != nil { record.result = .bad }
        record.seconds = (clock.elapsed() - begun) / .seconds(1)
        try await step(.storage, "cannot store the result of verifying \(backups.shard)/\(name)") {
            try await backups.leave(record, at: name)
        }
        if let reason = record.reason {
            throw WorkflowError(
                .verification,
                "backup \(backups.shard)/\(name) was taken and is NO GOOD: \(reason); HINT: it is marked so and no pass starts from it; see disks, memory and storage, and run again"
            )
        }
        logger.info(
            "Verified backup \(backups.shard)/\(name): \(record.files) files, \(record.bytes) bytes, \(record.tables ?? 0) tables checked, position \(record.position ?? "")"
        )
    }

    /// - Returns: what is damaged; `nil` when every hash fits.
    private func restore(
        _ manifest: Manifest,
        _ reader: any BackupReader,
        _ mysqld: any TabletServer,
        _ claim: TabletClaim,
        _ meter: TransferMeter
    ) async throws -> String? {
        do {
            try await threads.run { try claim.empty() }
            try await BackupRestore(engines: engines)
                .run(manifest, from: reader, into: .init(mysqld), meter: meter)
            return nil
        } catch {
            try Task.checkCancellation()
            guard VerificationRecord.isProof(error) else {
                throw WorkflowError(.verification, "the new backup could not be verified", cause: error)
            }
            return "\(error)"
        }
    }

    private static func excerpt(_ transactions: [String]) -> String {
        transactions.isEmpty ? "none" : transactions.prefix(problemsShown).joined(separator: ", ")
    }

    /// - Returns: what mysqld finds wrong.
    private func check(
        _ manifest: Manifest,
        of prepared: PreparedServer,
        on mysqld: any TabletServer,
        _ record: inout VerificationRecord
    ) async throws -> String? {
        let (tables, position, version, transactions): (TableCheck, Position, String, [String]?)
        do {
            (tables, position, version, transactions) = try await mysqld.withServer { server in
                try await server.forgetSource()
                return (
                    try await server.checkTables(), try await server.executedPosition(),
                    try await server.versionText(), try await server.preparedTransactions()
                )
            }
        } catch {
            try Task.checkCancellation()
            // Memory, time or a hook may be to blame: that is no proof.
            throw WorkflowError(
                .verification,
                "the new backup could not be verified: mysqld does not run on what was restored",
                cause: error
            )
        }
        (record.tables, record.position, record.mysqlVersion) = (tables.tables, position.encoded, version)
        if !tables.problems.isEmpty {
            let shown = tables.problems.prefix(Self.problemsShown).joined(separator: "; ")
            return "\(tables.problems.count) tables are not in order: \(shown)"
        }
        if let expected = prepared.preparedTransactions, let transactions, transactions != expected {
            return
                "the restored server has other prepared XA transactions than the one that was copied: \(transactions.count) (\(Self.excerpt(transactions))), not \(expected.count) (\(Self.excerpt(expected)))"
        }
        // MariaDB keeps its position in binary logs, which no backup holds.
        if position.flavor == .mysql56, let expected = manifest.position, position != expected {
            return "the restored server is at \(position), the MANIFEST says \(expected)"
        }
        return nil
    }
}

extension VerificationRecord {
    /// Whether a failed restore proves that an object is damaged or missing, and not that for a moment the way to it was.
    static func isProof(_ error: any Error) -> Bool {
        let chain = causes(of: error)
        // What a store says of an object that is not there may have a cause of its own.
        if chain.contains(where: { ($0 as? StorageError)?.code == .notFound }) { return true }
        return switch chain.last {
        case let error as EngineError: error.code == .damagedBackup
        case let error as CompressionError: error.code == .corrupt || error.code == .otherFormat
        default: false
        }
    }
}
