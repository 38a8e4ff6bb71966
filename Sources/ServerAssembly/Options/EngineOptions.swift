import ArgumentParser
package import CommandLineKit
package import Compression

/// How files are copied and compressed (command-line specification 3.5 and 3.7).
package struct EngineOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Engine that takes the backup: builtin.", valueName: "string"))
    package var backupEngineImplementation = "builtin"

    @Option(help: ArgumentHelp("Time limit for stopping mysqld before the files are copied.", valueName: "duration"))
    package var builtinbackupMysqldTimeout = GoDurationValue.seconds(600)

    @Option(help: ArgumentHelp("How often the progress of a large file is logged.", valueName: "duration"))
    package var builtinbackupProgress = GoDurationValue.seconds(5)

    @Option(
        help: ArgumentHelp(
            "Accepted for compatibility: files are read in blocks of --backup-storage-block-size.",
            valueName: "uint"
        )
    )
    package var builtinbackupFileReadBufferSize = 0

    @Option(
        help: ArgumentHelp(
            "Accepted for compatibility: files are written in the blocks that they were compressed in.",
            valueName: "uint"
        )
    )
    package var builtinbackupFileWriteBufferSize = 2_097_152

    @Option(
        help: ArgumentHelp(
            "Folder for the binary logs of an incremental restore; such restores are not available in this version yet.",
            valueName: "string"
        )
    )
    package var builtinbackupIncrementalRestorePath = ""

    @Option(help: ArgumentHelp("Compress the files of the backup.", valueName: "bool"))
    package var backupStorageCompress = true

    @Option(
        help: ArgumentHelp(
            "Copy InnoDB's pages without verifying their checksums: for a server whose damage is known.",
            valueName: "bool"
        )
    )
    package var skipPageCheck = false

    @Option(help: ArgumentHelp("Bytes of a file that gzip compresses as one block.", valueName: "int"))
    package var backupStorageBlockSize = 250_000

    @Option(
        help: ArgumentHelp(
            "Blocks of one file in flight at most; when not given, as many as memory allows.",
            valueName: "int"
        )
    )
    package var backupStorageNumberBlocks = 2

    @Option(help: ArgumentHelp("Compressor: pargzip, pgzip, lz4, zstd or external.", valueName: "string"))
    package var compressionEngineName = "pargzip"

    @Option(
        help: ArgumentHelp("Level of the compressor: gzip -2 to 9, zstd 1 to 4, lz4 0 to 9.", valueName: "int")
    )
    package var compressionLevel = 1

    @Option(
        help: ArgumentHelp(
            "Command that compresses stdin to stdout, instead of --compression-engine-name.",
            valueName: "string"
        )
    )
    package var externalCompressor = ""

    @Option(
        help: ArgumentHelp(
            "Extension of the external compressor's files; only used with xtrabackup.",
            valueName: "string"
        )
    )
    package var externalCompressorExtension = ""

    @Option(
        help: ArgumentHelp(
            "Command that decompresses stdin to stdout, for backups of --compression-engine-name=external.",
            valueName: "string"
        )
    )
    package var externalDecompressor = ""

    @Option(
        help: ArgumentHelp("Command to record in the backup's manifest for those who restore it.", valueName: "string")
    )
    package var manifestExternalDecompressor = ""

    @Option(
        help: ArgumentHelp(
            "Run the command that a backup's manifest names when --external-decompressor is not given: only for storage that you trust.",
            valueName: "bool"
        )
    )
    package var externalDecompressorUseManifest = false

    @Option(
        help: ArgumentHelp(
            "Memory that this process may use, mysqld not counted; by default less in a small cgroup.",
            valueName: "bytes"
        )
    )
    package var memoryBudget = ByteCountValue.mebibytes(256)

    /// Creates the group.
    package init() {}

    /// The codec of new backups, with what their manifests say of it.
    /// - Throws: ``UsageError`` for what cannot be done.
    package func codec() throws(UsageError) -> RecordedCodec {
        do throws(CompressionError) {
            return try RecordedCodec(
                engine: compressionEngineName,
                level: compressionLevel,
                compresses: backupStorageCompress,
                compressor: externalCompressor,
                manifestDecompressor: manifestExternalDecompressor,
                decompressor: externalDecompressor
            )
        } catch {
            throw UsageError(error.message)
        }
    }

    /// Blocks of one file in flight at most; `nil`: as many as memory allows.
    func blocksInFlight(given: Set<String>) -> Int? {
        guard given.contains("backup-storage-number-blocks"), backupStorageNumberBlocks >= 1 else { return nil }
        return backupStorageNumberBlocks
    }

    /// The commands that may decompress.
    package var decompressors: StoredFormat.ExternalDecompressors {
        var decompressors = StoredFormat.ExternalDecompressors()
        decompressors.command = externalDecompressor
        decompressors.trustsManifest = externalDecompressorUseManifest
        return decompressors
    }
}
