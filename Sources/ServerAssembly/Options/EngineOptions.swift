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

    @Option(help: ArgumentHelp("Bytes of a file that are compressed as one block.", valueName: "int"))
    package var backupStorageBlockSize = 250_000

    @Option(
        help: ArgumentHelp(
            "Blocks of one file in flight at most; when not given, as many as keep all processors busy.",
            valueName: "int"
        )
    )
    package var backupStorageNumberBlocks = 2

    @Option(help: ArgumentHelp("Compressor: pargzip or pgzip.", valueName: "string"))
    package var compressionEngineName = "pargzip"

    @Option(help: ArgumentHelp("Level of the compressor; for gzip -2 to 9.", valueName: "int"))
    package var compressionLevel = 1

    @Option(
        help: ArgumentHelp("Command to compress with. Not available in this version yet: refused.", valueName: "string")
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
            "Command to decompress with. Not available in this version yet: refused.",
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
            "Run the command that a backup's manifest names when --external-decompressor is not given. Not available in this version yet: refused.",
            valueName: "bool"
        )
    )
    package var externalDecompressorUseManifest = false

    /// Creates the group.
    package init() {}

    /// The codec of new backups.
    /// - Throws: ``UsageError`` for what cannot be done.
    package func codec() throws(UsageError) -> Codec {
        do {
            let codec = try Codec(engine: compressionEngineName, level: compressionLevel)
            return backupStorageCompress ? codec : .identity
        } catch {
            throw UsageError(error.message)
        }
    }
}
