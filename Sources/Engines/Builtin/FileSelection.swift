import Catalog
import MySQLControl
import Streams
import SystemPackage

/// A file of a stopped server that goes into a backup.
struct SelectedFile: Hashable, Sendable {
    var base: BaseDirectory
    /// Path below the base directory.
    var name: String
    var path: FilePath
    var size: Int64
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
        var files = try entries(of: directory.innodbData, base: .innodbData, prefix: "", whileRunning)
        let redo = directory.innodbLogs.appending(redoFolder)
        if try FileTree.status(redo)?.kind == .directory {
            files += try entries(of: redo, base: .innodbLog, prefix: redoFolder + "/", whileRunning)
        } else {
            files += try entries(of: directory.innodbLogs, base: .innodbLog, prefix: "", whileRunning)
        }
        if try FileTree.status(directory.data.appending("mysql.ibd")) != nil {
            files.append(try file("mysql.ibd", at: directory.data.appending("mysql.ibd"), base: .data))
        }
        let inData = try FileTree.list(directory.data) ?? []
        // Vitess leaves general and undo tablespaces out and restores a server that misses them; it restores any name.
        for name in inData where name != "mysql.ibd" && isNeeded(name) {
            files.append(try file(name, at: directory.data.appending(name), base: .data))
        }
        for name in inData {
            let folder = directory.data.appending(name)
            if try isSchema(folder) {
                files += try entries(of: folder, base: .data, prefix: name + "/", whileRunning)
            } else {
                files += try undo(in: folder, whileRunning)
            }
        }
        return files
    }

    /// What `innodb_undo_directory` may have put into a folder of its own.
    private static func undo(in folder: FilePath, _ whileRunning: Bool) throws -> [SelectedFile] {
        guard try FileTree.status(folder)?.kind == .directory, let name = folder.lastComponent else { return [] }
        return try (FileTree.list(folder) ?? []).filter(isUndo).map {
            try file("\(name.string)/\($0)", at: folder.appending($0), base: .data)
        }
    }

    private static func isSchema(_ folder: FilePath) throws -> Bool {
        guard try FileTree.status(folder)?.kind == .directory else { return false }
        return (try FileTree.list(folder) ?? []).contains { name in
            name == "db.opt" || schemaSuffixes.contains { name.hasSuffix($0) }
        }
    }

    private static func entries(
        of folder: FilePath,
        base: BaseDirectory,
        prefix: String,
        _ whileRunning: Bool
    ) throws -> [SelectedFile] {
        try (FileTree.list(folder) ?? []).compactMap { name in
            let path = folder.appending(name)
            let status = try FileTree.status(path)
            if whileRunning, status == nil { return nil }
            return try file(prefix + name, at: path, base: base, status)
        }
    }

    private static func file(_ name: String, at path: FilePath, base: BaseDirectory) throws -> SelectedFile {
        try file(name, at: path, base: base, try FileTree.status(path))
    }

    private static func file(
        _ name: String,
        at path: FilePath,
        base: BaseDirectory,
        _ status: FileTree.Status?
    ) throws -> SelectedFile {
        guard let status, status.kind == .regular else {
            throw EngineError(
                .unsupportedFile,
                "\(path) is not a regular file; the builtin engine cannot back up folders or special files inside \(path.removingLastComponent())"
            )
        }
        return SelectedFile(base: base, name: name, path: path, size: status.size)
    }
}
