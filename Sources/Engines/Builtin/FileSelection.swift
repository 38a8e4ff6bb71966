import Catalog
import Host
import MySQLControl
import SystemPackage

/// A file of a stopped server that goes into a backup.
struct SelectedFile: Hashable, Sendable {
    var base: BaseDirectory
    /// The base directory: one for all its files, since there may be 200,000.
    var folder: FilePath
    /// Path below the base directory.
    var name: String
    var size: Int64

    var path: FilePath { folder.pushing(FilePath(name)) }
}

/// Which files of a stopped server a full backup holds, in the order of the manifest.
///
/// The rules are Vitess's: InnoDB's data home, its redo log, `mysql.ibd`, and everything directly inside a folder that
/// looks like a schema's; and, which is ours, what a server needs besides in its data directory (decision 19).
enum FileSelection {
    private static let redoFolder = "#innodb_redo"
    private static let schemaSuffixes = [".frm", ".sst", ".ibd", ".sdi"]

    /// Whether a file directly in the data directory is needed: a tablespace, persisted settings, undo logs, and the log of
    /// Aria, in which MariaDB keeps its system tables.
    private static func isNeeded(_ name: String) -> Bool {
        if name.hasSuffix(".ibd") || name == "aria_log_control" || name == "mysqld-auto.cnf" { return true }
        return isUndo(name) || name.wholeMatch(of: /aria_log\.[0-9]{8}/) != nil
    }

    /// Undo tablespaces hold what prepared transactions need to be rolled back: those of users, MariaDB's and MySQL's.
    private static func isUndo(_ name: String) -> Bool {
        name.hasSuffix(".ibu") || name.wholeMatch(of: /undo[0-9]{3}/) != nil || isMadeAnew(name)
    }

    /// Whether it is an undo tablespace that MySQL makes anew when it is not there.
    private static func isMadeAnew(_ name: String) -> Bool { name.wholeMatch(of: /undo_[0-9]{3}/) != nil }

    /// Lists the files.
    /// - Parameters:
    ///   - directory: the tablet's folders.
    ///   - leavesOutUndo: MySQL's own undo tablespaces are not to be had.
    ///   - whileRunning: files may come and go meanwhile, as redo log files do.
    /// - Returns: them in the order of the manifest.
    /// - Throws: ``FileError``; ``EngineError`` with code `unsupportedFile` for a folder or special file where a file
    ///   must be: it would be missing in the restored server.
    static func files(
        of directory: TabletDirectory,
        leavesOutUndo: Bool = false,
        whileRunning: Bool = false
    ) throws -> [SelectedFile] {
        let files = try files(of: directory, whileRunning)
        return leavesOutUndo ? files.filter { !isMadeAnew($0.path.lastComponent?.string ?? "") } : files
    }

    private static func files(of directory: TabletDirectory, _ whileRunning: Bool) throws -> [SelectedFile] {
        let selector = Selector(directory: directory, whileRunning: whileRunning)
        var files = try selector.entries(of: "", base: .innodbData)
        let hasRedoFolder = try FileTree.status(directory.innodbLogs.appending(redoFolder))?.kind == .directory
        files += try selector.entries(of: hasRedoFolder ? redoFolder + "/" : "", base: .innodbLog)
        if try FileTree.status(directory.data.appending("mysql.ibd")) != nil {
            files.append(try selector.file("mysql.ibd", base: .data))
        }
        let inData = try FileTree.list(directory.data) ?? []
        // Vitess leaves general and undo tablespaces out and restores a server that misses them; it restores any name.
        for name in inData where name != "mysql.ibd" && isNeeded(name) {
            files.append(try selector.file(name, base: .data))
        }
        for name in inData {
            let folder = directory.data.appending(name)
            guard try FileTree.status(folder)?.kind == .directory else { continue }
            let inFolder = try FileTree.list(folder) ?? []
            if isSchema(inFolder) {
                files += try selector.entries(of: name + "/", inFolder, base: .data)
            } else {
                // What `innodb_undo_directory` may have put into a folder of its own.
                files += try inFolder.filter(isUndo).map { try selector.file("\(name)/\($0)", base: .data) }
            }
        }
        return files
    }

    private static func isSchema(_ names: [String]) -> Bool {
        names.contains { name in name == "db.opt" || schemaSuffixes.contains { name.hasSuffix($0) } }
    }

    /// Looks at the files themselves.
    private struct Selector {
        let directory: TabletDirectory
        let whileRunning: Bool

        /// All in the folder `prefix` of a base directory.
        func entries(of prefix: String, _ names: [String]? = nil, base: BaseDirectory) throws -> [SelectedFile] {
            let folder = directory.folder(of: base)
            let names = try names ?? FileTree.list(folder.pushing(FilePath(prefix))) ?? []
            return try names.compactMap { name in
                let status = try FileTree.status(folder.pushing(FilePath(prefix + name)))
                if whileRunning, status == nil { return nil }
                return try file(prefix + name, of: folder, base: base, status)
            }
        }

        func file(_ name: String, base: BaseDirectory) throws -> SelectedFile {
            let folder = directory.folder(of: base)
            return try file(name, of: folder, base: base, try FileTree.status(folder.pushing(FilePath(name))))
        }

        private func file(
            _ name: String,
            of folder: FilePath,
            base: BaseDirectory,
            _ status: FileTree.Status?
        ) throws -> SelectedFile {
            guard let status, status.kind == .regular else {
                let path = folder.pushing(FilePath(name))
                throw EngineError(
                    .unsupportedFile,
                    "\(path) is not a regular file; the builtin engine cannot back up folders or special files inside \(path.removingLastComponent())"
                )
            }
            return SelectedFile(base: base, folder: folder, name: name, size: status.size)
        }
    }
}
