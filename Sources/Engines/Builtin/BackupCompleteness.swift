package import MySQLControl
import Streams
import SystemPackage

/// Compares what a backup would hold with what the server says it has.
package enum BackupCompleteness {
    /// Tablespaces whose files a backup of `directory` would leave out; blocking.
    ///
    /// The server may be running.
    /// - Throws: ``FileError``, ``EngineError``.
    package static func leftOut(
        _ tablespaces: [TablespaceFile],
        of directory: TabletDirectory
    ) throws -> [TablespaceFile] {
        let selected = Set(
            try FileSelection.files(of: directory, whileRunning: true).map { FileTree.resolved($0.path) }
        )
        return tablespaces.filter { !selected.contains(FileTree.resolved($0.path)) }
    }
}
