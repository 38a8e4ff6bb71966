import Catalog
import Concurrency
import Engines
import Logging
import MySQLControl
import Positions
import Storage
import Vocabulary

/// Copies a server that stands still into a new backup, and commits it: the MANIFEST last, or nothing.
struct NewBackup: Sendable {
    let context: PassContext
    let lease: HeldLease?

    /// For what must be undone when a pass fails.
    private static let cleanupLimit = Duration.seconds(60)

    private var shard: ShardPath { context.shard }
    private var logger: Logger { context.logger }

    /// Takes it.
    /// - Parameters:
    ///   - prepared: the server that is copied.
    ///   - directory: its files.
    /// - Returns: its name.
    /// - Throws: ``WorkflowError``; an unfinished backup is gone then.
    func take(_ prepared: PreparedServer, in directory: TabletDirectory) async throws -> String {
        let engine = context.backupEngine
        let name = try BackupName(time: prepared.backupTime, alias: context.settings.alias).description
        logger.info("\(ContractLog.startingBackup(name))")
        logger.info("\(ContractLog.usingEngine(engine.traits.method.description))")
        logger.info("\(ContractLog.usingPosition(prepared.position))")
        if prepared.position.hasTags {
            logger.warning(
                "the position of \(name) has tagged GTIDs in it, which Vitess cannot read: no tablet of Vitess restores this backup; HINT: see which clients set gtid_next = 'AUTOMATIC:<tag>'"
            )
        }
        let writer = try await step(.storage, "error taking backup: StartBackup failed") {
            try await context.backups.storage.startBackup(name, of: shard)
        }
        let meter = TransferMeter()
        do {
            try await lease?.mark(name)
            try await context.progress.during(.takeNewBackup, transfer: meter) {
                let taken = try await copy(prepared, in: directory, to: writer, meter)
                try await refuseIfPoisonedMeanwhile(prepared)
                try await commit(await manifest(name, of: prepared, taken), by: writer)
            }
        } catch {
            logger.error("\(ContractLog.notUsable)")
            await abort(writer)
            throw error
        }
        await lease?.unmark(name)
        return name
    }

    private func copy(
        _ prepared: PreparedServer,
        in directory: TabletDirectory,
        to writer: any BackupWriter,
        _ meter: TransferMeter
    ) async throws -> Taken {
        try await step(.copy, "error taking backup") {
            let reader = try context.backups.storage.backup(writer.name, of: shard)
            return try await explainingFullDisk {
                "the backup of \(meter.reading.totalBytes) bytes of files had got to \(meter.reading.bytes) of them"
            } _: {
                try await context.backupEngine.take(
                    StoppedServer(directory, files: prepared.files),
                    to: writer,
                    readingBackFrom: reader,
                    meter: meter
                )
            }
        }
    }

    private func manifest(_ name: String, of prepared: PreparedServer, _ taken: Taken) async -> Manifest {
        var manifest = Manifest(taken.details)
        (manifest.backupName, manifest.backupTime) = (name, prepared.backupTime)
        (manifest.position, manifest.purgedPosition) = (taken.position ?? prepared.position, prepared.purgedPosition)
        (manifest.serverUUID, manifest.mysqlVersion) = (prepared.serverUUID, prepared.versionText)
        manifest.upgradeSafe = prepared.upgradeSafe
        (manifest.keyspace, manifest.shard) = (shard.keyspace, shard.shard)
        manifest.tabletAlias = context.settings.alias.description
        manifest.hostname = await context.settings.hostname()
        manifest.finishedTime = context.clock.now()
        return manifest
    }

    private func commit(_ manifest: Manifest, by writer: any BackupWriter) async throws {
        try await step(.storage, "error taking backup: cannot commit backup \(shard)/\(writer.name)") {
            let bytes = try manifest.commitRecord()
            try await lease?.confirm()
            try await writer.commit(manifest: bytes)
            try lease?.confirmStillHeld()
        }
    }

    private func abort(_ writer: any BackupWriter) async {
        do {
            try await shielded {
                // A renewal that hangs must not keep the backup from being removed.
                try? await withDeadline(.seconds(10), operation: "ending its mark") {
                    try await lease?.stopMarking()
                }
                try await withDeadline(Self.cleanupLimit, operation: "removing it") { try await writer.abort() }
            }
        } catch {
            logger.error(
                "failed to finish backup: cannot remove unfinished backup \(shard)/\(writer.name): \(error)"
            )
        }
    }

    /// A primary that took over while files were copied may lack what the old one had.
    private func refuseIfPoisonedMeanwhile(_ prepared: PreparedServer) async throws {
        guard !context.settings.freshness.initialBackup else { return }
        do {
            let refusal = try await withDeadline(.seconds(60), operation: "asking the primary for its position") {
                try await context.errant.refusal(of: prepared.position, what: "the new backup")
            }
            if let refusal { throw ErrantTransactions.poisoned(refusal) }
        } catch let error as WorkflowError where error.code == .refused {
            throw error
        } catch {
            try Task.checkCancellation()
            logger.warning("cannot compare the new backup with the primary once more before it is committed: \(error)")
        }
    }
}
