package import Catalog
package import Compression
import Concurrency
package import Host
package import Logging
package import MySQLControl
package import Storage
import SystemPackage
import Vocabulary

/// Unpacks a builtin backup into the folders of a tablet.
package struct BuiltinRestore: RestoreEngine {
    package var traits: EngineTraits { .builtin }

    package var dataPlane: DataPlane
    /// Owner of what is created.
    package var owner: FileOwner?
    /// Whether files and folders are synced; needless for a folder that is thrown away after the pass.
    package var durable: Bool
    /// Commands that may be run to decode.
    package var decompressors: StoredFormat.ExternalDecompressors
    package var logger: Logger

    /// Creates the unpacker.
    package init(
        dataPlane: DataPlane,
        owner: FileOwner?,
        durable: Bool,
        decompressors: StoredFormat.ExternalDecompressors,
        logger: Logger
    ) {
        (self.dataPlane, self.owner) = (dataPlane, owner)
        (self.durable, self.decompressors, self.logger) = (durable, decompressors, logger)
    }

    /// Restores every file and checks every hash.
    ///
    /// An object that does not check out is read once more; when it fails again, the other files stop at once.
    /// - Throws: ``EngineError`` that names file and object.
    package func restore(
        _ manifest: Manifest,
        from reader: any BackupReader,
        to directory: TabletDirectory,
        meter: TransferMeter
    ) async throws {
        let (builtin, format) = try plan(manifest)
        let files = builtin.files
        let count = files.lazy.filter { !$0.name.isEmpty }.count
        logger.info("Restore: copying \(count) files")
        meter.begin(files: count, bytes: builtin.totalSizes?.raw ?? 0)
        let folders = folders(of: files, in: directory)
        try await create(folders, in: directory)
        // An entry without a name only keeps its index.
        try await forEachFile(
            files,
            lanes: dataPlane.concurrency,
            size: { $0.name.isEmpty ? nil : $0.sizes?.raw ?? 0 }
        ) { index, file in
            try await restore(file, index: index, format: format, from: reader, to: directory, meter: meter)
            meter.finishFile()
        }
        if durable { try await sync(folders, in: directory) }
    }

    /// Tells whether the backup fits where it is to go, as far as its manifest or its objects tell.
    /// - Throws: ``EngineError`` with code `noSpace` that names the file system; what the store throws.
    package func checkSpace(
        _ manifest: Manifest,
        from reader: any BackupReader,
        to directory: TabletDirectory
    ) async throws {
        let (builtin, format) = try plan(manifest)
        try await SpaceCheck(dataPlane: dataPlane, logger: logger).run(
            manifest,
            builtin,
            as: format,
            from: reader,
            to: directory
        )
    }

    /// Tells whether the backup is of a kind that can be restored here, before anything is touched.
    /// - Throws: ``EngineError`` with code `unsupportedBackup`; ``CompressionError`` with code `unsupported`.
    package func check(_ manifest: Manifest) throws { _ = try plan(manifest) }

    private func plan(_ manifest: Manifest) throws -> (Manifest.Builtin, StoredFormat) {
        guard let builtin = manifest.builtin else {
            throw EngineError(
                .unsupportedBackup,
                "backup \(PrintableText.line(manifest.backupName)) was taken with the engine \(PrintableText.line(manifest.method.description)), not the builtin one"
            )
        }
        guard builtin.files.allSatisfy({ $0.base != .binLog }) else {
            throw EngineError(
                .unsupportedBackup,
                "backup \(PrintableText.line(manifest.backupName)) is incremental and cannot be restored on its own; HINT: choose a full backup"
            )
        }
        return (builtin, try builtin.storedFormat(decompressors))
    }

    private func restore(
        _ file: FileEntry,
        index: Int,
        format: StoredFormat,
        from reader: any BackupReader,
        to directory: TabletDirectory,
        meter: TransferMeter
    ) async throws {
        let decoder = FileDecoder(
            file: file,
            index: index,
            place: directory.place(directory.folder(of: file.base).pushing(FilePath(file.name))),
            format: format,
            owner: owner,
            durable: durable,
            dataPlane: dataPlane,
            logger: logger
        )
        for attempt in 1...2 {
            logger.info("Copying file \(index): \(file.shownName) (attempt \(attempt)/2)")
            do {
                try await decoder.decode(from: reader, meter: meter)
                logger.info("Completed restoring \"\(file.shownName)\" (attempt \(attempt)/2)")
                return
            } catch let error as CompressionError where error.code == .unsupported {
                throw EngineError(
                    .unsupportedBackup,
                    "cannot restore \(file.base.rawValue) \(file.shownName), object \(file.objects(index: index)) of backup \(PrintableText.line(reader.name))",
                    cause: error
                )
            } catch {
                try Task.checkCancellation()
                if attempt == 1 {
                    logger.warning("Failed restoring \"\(file.shownName)\" (attempt 1/2), reading it again: \(error)")
                    continue
                }
                throw EngineError(
                    .damagedBackup,
                    "failed to restore files: \(file.base.rawValue) \(file.shownName), object \(file.objects(index: index)) of backup \(PrintableText.line(reader.name))",
                    cause: error
                )
            }
        }
    }

    // MARK: Folders

    private func folders(of files: [FileEntry], in directory: TabletDirectory) -> Set<FilePath> {
        var folders: Set<FilePath> = []
        for file in files where !file.name.isEmpty {
            folders.insert(directory.folder(of: file.base).pushing(FilePath(file.name)).removingLastComponent())
        }
        return folders
    }

    private func create(_ folders: Set<FilePath>, in directory: TabletDirectory) async throws {
        try await dataPlane.threads.run {
            for folder in folders { try FileTree.createDirectory(directory.place(folder), owner: owner) }
        }
    }

    private func sync(_ folders: Set<FilePath>, in directory: TabletDirectory) async throws {
        try await dataPlane.threads.run {
            for folder in folders { try FileTree.sync(directory: directory.place(folder)) }
        }
    }
}

extension Manifest.Builtin {
    fileprivate func storedFormat(_ decompressors: StoredFormat.ExternalDecompressors) throws -> StoredFormat {
        if skipCompress { return .identity }
        return try StoredFormat(
            engine: effectiveCompressionEngine,
            manifestCommand: externalDecompressor,
            decompressors: decompressors
        )
    }
}

extension FileEntry {
    /// The names of the file's objects, for messages.
    fileprivate func objects(index: Int) -> String {
        chunks.isEmpty ? String(index) : chunks.map { PrintableText.line($0.storageName) }.joined(separator: ",")
    }

    /// The file's name, for messages: a MANIFEST may say anything.
    var shownName: String { PrintableText.line(name) }
}
