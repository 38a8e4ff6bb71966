import Glibc
package import Host
package import SystemPackage
import Vocabulary

/// The folder of one tablet and where everything lies in it.
///
/// Layout and names are Vitess's.
package struct TabletDirectory: Hashable, Sendable {
    /// The folder itself, `$VTDATAROOT/vt_<uid>`.
    package let path: FilePath
    /// Ten digits, part of the names of binary and relay logs.
    private let paddedUID: String
    /// Whether the folder above is a root of tablets' data, whose disks for single folders are used.
    private let sharesDisks: Bool

    /// The folder of the tablet with this uid below the root of all tablets' data.
    package init(dataRoot: FilePath, uid: UInt32) {
        paddedUID = TabletAlias(cell: "", uid: uid).paddedUID
        path = dataRoot.appending("vt_\(paddedUID)")
        sharesDisks = true
    }

    /// A folder of any name, laid out as the tablet with this uid; what stands beside it does not matter.
    package init(path: FilePath, uid: UInt32) {
        self.path = path
        sharesDisks = false
        paddedUID = TabletAlias(cell: "", uid: uid).paddedUID
    }

    package var data: FilePath { path.appending("data") }
    package var innodbData: FilePath { path.appending("innodb").appending("data") }
    package var innodbLogs: FilePath { path.appending("innodb").appending("logs") }
    package var temporary: FilePath { path.appending("tmp") }
    package var socket: FilePath { path.appending("mysql.sock") }
    package var configuration: FilePath { path.appending("my.cnf") }
    package var errorLog: FilePath { path.appending("error.log") }
    package var generalLog: FilePath { path.appending("general.log") }
    package var slowLog: FilePath { path.appending("slow-query.log") }
    package var pidFile: FilePath { path.appending("mysql.pid") }
    package var relayLog: FilePath { path.appending("relay-logs").appending("vt-\(paddedUID)-relay-bin") }
    package var relayLogIndex: FilePath { path.appending("relay-logs").appending("vt-\(paddedUID)-relay-bin.index") }
    package var relayLogInfo: FilePath { path.appending("relay-logs").appending("relay-log.info") }
    package var binLog: FilePath { path.appending("bin-logs").appending("vt-\(paddedUID)-bin") }
    package var masterInfo: FilePath { path.appending("master.info") }
    /// Empty file that marks a restore which has not ended.
    package var restoreMarker: FilePath { path.appending("restore_in_progress") }

    /// Where what is to be in `folder`, one of those above, will lie, also before it is made: on the operator's own disk for
    /// it, where there is one.
    package func disk(of folder: FilePath) -> FilePath {
        guard sharesDisks, let name = folder.components.dropFirst(path.components.count).first else { return folder }
        let shared = path.removingLastComponent().appending(name)
        return (try? FileTree.status(shared)) != nil ? shared : folder
    }

    // MARK: Links

    /// A path of this folder or below it, reached without following links that are neither the operator's nor ours.
    ///
    /// The operator's are those above the folder, and `$VTDATAROOT/<name>` for disks of their own, where our link leads; whom
    /// mysqld runs as may write below, and put others there while we are root. A folder that was given by its path may itself
    /// be a link.
    package func place(_ path: FilePath) -> ConfinedPath {
        // Of every file of a restore: as text, which is cheaper than the parts of a path.
        precondition(path.string.hasPrefix(self.path.string), "\(path) does not lie in \(self.path)")
        let below = path.string.utf8.dropFirst(self.path.string.utf8.count).split(separator: UInt8(ascii: "/"))
            .map { String(Substring($0)) }
        guard sharesDisks, let name = self.path.lastComponent?.string else {
            return ConfinedPath(root: self.path, names: below, shown: path)
        }
        let root = self.path.removingLastComponent()
        if let top = below.first, Self.topLevel.contains(top),
            (try? FileTree.status(self.path.appending(top), followLinks: false))?.kind == .symbolicLink
        {
            return ConfinedPath(root: root.appending(top), names: [name] + below.dropFirst(), shown: path)
        }
        return ConfinedPath(root: root, names: [name] + below, shown: path)
    }

    // MARK: Creating and removing

    /// Folders that an operator may keep on disks of their own, by making `$VTDATAROOT/<name>`.
    private static let topLevel = ["data", "innodb", "relay-logs", "bin-logs"]

    /// Creates the folder and all folders below it, as far as they are missing.
    ///
    /// Where `$VTDATAROOT/<name>` exists for one of the four top folders, that one becomes a link to a folder in there.
    /// - Throws: ``FileError``.
    package func create(owner: FileOwner?) throws(FileError) {
        try FileTree.createDirectory(path, parents: true, owner: owner)
        for name in Self.topLevel {
            if try FileTree.status(path.appending(name), followLinks: false) != nil { continue }
            let shared = path.removingLastComponent().appending(name)
            let disk = try FileTree.status(shared, followLinks: false)
            if !sharesDisks || disk == nil {
                try FileTree.createDirectory(place(path.appending(name)), owner: owner)
            } else {
                let target = shared.appending(path.lastComponent?.string ?? "tablet")
                // It must be new: what an earlier tablet left there is not ours to write over.
                try FileTree.createDirectory(target, parents: false, owner: owner)
                try FileTree.link(place(path.appending(name)), to: target)
            }
        }
        for folder in [
            data, innodbData, innodbLogs, temporary, relayLog.removingLastComponent(), binLog.removingLastComponent(),
        ] {
            try FileTree.createDirectory(place(folder), owner: owner)
        }
    }

    /// Removes the folder with everything in it, and what its top folders link to.
    ///
    /// Absent is fine.
    /// - Throws: ``FileError``.
    package func remove() throws(FileError) {
        try removeDisks()
        try FileTree.remove(path)
    }

    /// Removes everything in the folder but the names to keep, and what its top folders link to.
    /// - Throws: ``FileError``.
    func empty(keeping names: Set<String>) throws(FileError) {
        try removeDisks()
        try FileTree.removeContents(of: place(path), keeping: names)
    }

    private func removeDisks() throws(FileError) {
        for name in Self.topLevel where sharesDisks {
            let target = path.removingLastComponent().appending(name).appending(path.lastComponent?.string ?? "tablet")
            if try FileTree.status(path.appending(name), followLinks: false)?.kind == .symbolicLink {
                try FileTree.remove(target)
            } else {
                // Of a maker that came to its end before the link was there: the folder is empty then, and only then goes.
                rmdir(target.string)
            }
        }
    }
}

// MARK: - Restore

extension TabletDirectory {
    /// Prepares for unpacking a backup: the folder must be absent or empty, and is marked until ``finishRestore()``.
    /// - Throws: ``FileError``; `fileExists` when something is there, which is never overwritten.
    package func prepareForRestore(owner: FileOwner?) throws(FileError) {
        if let names = try FileTree.list(path), names.contains(where: { !TabletClaim.isMarker($0) }) {
            throw FileError("restore into a folder that is not empty", path, .fileExists)
        }
        try create(owner: owner)
        try FileTree.write([], to: place(restoreMarker), owner: owner)
    }

    /// Removes the marker: everything has been unpacked and checked.
    /// - Throws: ``FileError``.
    package func finishRestore() throws(FileError) {
        try FileTree.remove(restoreMarker)
        try FileTree.sync(directory: place(path))
    }
}
