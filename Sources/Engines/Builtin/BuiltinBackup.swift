package import Catalog
import Compression
import Concurrency
import Host
package import Logging
import MySQLControl
package import Storage

/// Copies the files of a stopped server into a backup.
package struct BuiltinBackup: BackupEngine {
    package var traits: EngineTraits { .builtin }

    package var dataPlane: DataPlane
    /// How often a large file's progress is logged.
    package var progressInterval: Duration
    /// Whether the checksums of InnoDB's pages are verified in passing.
    package var checksPages: Bool
    package var logger: Logger

    /// Creates the copier.
    package init(
        dataPlane: DataPlane,
        progressInterval: Duration,
        checksPages: Bool,
        logger: Logger
    ) {
        (self.dataPlane, self.checksPages) = (dataPlane, checksPages)
        (self.progressInterval, self.logger) = (progressInterval, logger)
    }

    /// Copies the files, and reads one object back.
    package func take(
        _ server: StoppedServer,
        to writer: any BackupWriter,
        readingBackFrom reader: any BackupReader,
        meter: TransferMeter
    ) async throws -> Taken {
        let builtin = try await copyFiles(of: server, to: writer, meter: meter)
        try await readBack(builtin, of: server.directory, from: reader)
        return Taken(.builtin(builtin))
    }

    /// Copies every file; each gets a second attempt, which rewrites its whole object.
    ///
    /// The first file that fails twice, or has a page that is damaged on the disk, stops the others.
    /// - Parameters:
    ///   - server: stands still.
    ///   - writer: takes the objects.
    ///   - meter: counts what was read.
    /// - Returns: what the manifest says of the engine: the files that the store confirmed, and how they were written.
    /// - Throws: ``EngineError`` that names file and object.
    package func copyFiles(
        of server: StoppedServer,
        to writer: any BackupWriter,
        meter: TransferMeter
    ) async throws -> Manifest.Builtin {
        let files = try await dataPlane.threads.run {
            Heap.giveBack()
            return try FileSelection.files(of: server.directory, leavesOutUndo: server.files.leavesOutUndo)
        }
        logger.info("found \(files.count) files to backup")
        guard !files.isEmpty else {
            throw EngineError(.unsupportedFile, "can't find files to backup in \(server.directory.path)")
        }
        meter.begin(files: files.count, bytes: files.reduce(0) { $0 + $1.size })
        let entries = ConfirmedEntries(files)
        let pages = checksPages ? PageTally(known: server.files.tablespaces) : nil
        try await forEachFile(files, lanes: dataPlane.concurrency, size: \.size) { index, file in
            let (hash, sizes) = try await copy(file, as: .file(index), to: writer, meter: meter, pages)
            entries.confirm(index, hash: hash, sizes: sizes)
            meter.finishFile()
        }
        logger.info("\(pages?.summary ?? "page check: switched off by --skip-page-check")")
        var builtin = Manifest.Builtin()
        builtin.files = try entries.take()
        try await dataPlane.threads.run { Heap.giveBack() }
        builtin.compressionEngine = dataPlane.recorded.engine
        builtin.skipCompress = dataPlane.recorded.skipsCompression
        builtin.externalDecompressor = dataPlane.recorded.manifestDecompressor
        return builtin
    }

    private func copy(
        _ file: SelectedFile,
        as object: ObjectName,
        to writer: any BackupWriter,
        meter: TransferMeter,
        _ pages: PageTally?
    ) async throws -> (hash: UInt32, sizes: FileEntry.Sizes) {
        do {
            return try await attempt(1, file, as: object, to: writer, meter: meter, pages)
        } catch let error as EngineError where error.code == .damagedPage {
            // It has been read again already.
            throw error
        } catch {
            try Task.checkCancellation()
            logger.warning("Failed backing up \"\(file.name)\" (attempt 1/2): \(error)")
            do {
                return try await attempt(2, file, as: object, to: writer, meter: meter, pages)
            } catch {
                try Task.checkCancellation()
                throw EngineError(
                    .copyFailed,
                    "failed to back up file \(file.path) as object \(object) of backup \(writer.name)",
                    cause: error
                )
            }
        }
    }

    private func attempt(
        _ number: Int,
        _ file: SelectedFile,
        as object: ObjectName,
        to writer: any BackupWriter,
        meter: TransferMeter,
        _ pages: PageTally?
    ) async throws -> (hash: UInt32, sizes: FileEntry.Sizes) {
        logger.info("Backing up file: \(file.name) (attempt \(number)/2)")
        let reader = FileEncoder(file: file, dataPlane: dataPlane, pages: pages, logger: logger)
        let progress = FileProgress(
            file: file,
            attempt: number,
            interval: progressInterval,
            meter: meter,
            logger: logger
        )
        do {
            let stored = try await writer.store(object, sizeHint: file.size) { sink in
                try await reader.encode(into: sink) { progress.passed($0) }
            }
            logger.info("Completed backing up \"\(file.name)\" (attempt \(number)/2)")
            return (stored.crc32, FileEntry.Sizes(raw: progress.bytes, stored: stored.size))
        } catch {
            progress.discard()
            throw error
        }
    }
}

extension EngineTraits {
    /// Of the engine that copies the files of a server which stands still.
    package static let builtin = EngineTraits(
        method: .builtin,
        needsStoppedServer: true,
        hasHashes: true,
        restoresIntoFolder: true,
        leavesOut: [.tablespacesElsewhere, .otherStorageEngines, .keyrings]
    )
}
