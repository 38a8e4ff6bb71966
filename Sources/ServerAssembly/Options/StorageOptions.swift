import ArgumentParser
import CommandLineKit
import Concurrency
import MySQLControl
import Storage
import SystemPackage

/// Where backups are kept (command-line specification 3.8).
package struct StorageOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Kind of storage for backups: file.", valueName: "string"))
    package var backupStorageImplementation = ""

    @Option(help: ArgumentHelp("Root folder of the file storage; empty is the current folder.", valueName: "string"))
    package var fileBackupStorageRoot = ""

    /// Creates the group.
    package init() {}

    /// Opens the storage: the one place that lists what is compiled in.
    /// - Throws: ``UsageError`` for a kind that is not there.
    func open(threads: BlockingThreads) throws(UsageError) -> any BackupStorage {
        switch backupStorageImplementation {
        case "file":
            return FileStorage(
                root: FilePath(fileBackupStorageRoot),
                threads: threads,
                inheritsOwner: MysqldUser.isRoot
            )
        case "s3", "gcs", "azblob", "ceph":
            throw UsageError(
                "Can't get backup storage: --backup-storage-implementation=\(backupStorageImplementation) is not available in this version yet; use file"
            )
        default:
            throw UsageError(
                "Can't get backup storage: no registered implementation of BackupStorage \"\(backupStorageImplementation)\"; HINT: give --backup-storage-implementation=file"
            )
        }
    }
}
