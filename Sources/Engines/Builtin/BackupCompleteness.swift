import Host
package import MySQLControl
package import SystemPackage

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
        let selected = PathSet(try FileSelection.files(of: directory, whileRunning: true).lazy.map(\.path))
        return tablespaces.filter { !selected.contains($0.path) }
    }
}

/// Files, without symbolic links in their paths; takes a few bytes for each, however long its path is.
package struct PathSet: Sendable {
    /// Two paths of one server do not meet in 64 bits.
    private var hashes: Set<Int>

    /// Collects paths; blocking.
    package init(_ paths: some Sequence<FilePath>) {
        hashes = Set(paths.lazy.map(Self.hash))
    }

    /// Whether a file is one of them; blocking.
    package func contains(_ path: FilePath) -> Bool { hashes.contains(Self.hash(path)) }

    private static func hash(_ path: FilePath) -> Int { FileTree.resolved(path).string.hashValue }
}

/// What a server said of its files while it ran, for those who copy them when it does not.
package struct ServerFiles: Sendable {
    /// The files of its tablespaces; `nil`: it was not asked.
    package var tablespaces: PathSet?
    /// Whether MySQL's own undo tablespaces stay out of the backup.
    package var leavesOutUndo: Bool

    /// Describes a server.
    package init(tablespaces: PathSet? = nil, leavesOutUndo: Bool = false) {
        (self.tablespaces, self.leavesOutUndo) = (tablespaces, leavesOutUndo)
    }
}
