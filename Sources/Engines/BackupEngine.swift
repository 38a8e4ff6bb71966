package import Catalog
package import MySQLControl
package import Positions
package import Storage

/// What an engine does and does not, as data.
package struct EngineTraits: Hashable, Sendable {
    /// What of a server its backups may lack.
    package enum Omission: Hashable, Sendable {
        /// Tablespaces that lie elsewhere than in the data directories.
        case tablespacesElsewhere
        /// Tables of storage engines that it does not know.
        case otherStorageEngines
        /// Keys without which encrypted files cannot be read.
        case keyrings
    }

    package var method: BackupMethod
    /// Whether the server must stand still while it is copied.
    package var needsStoppedServer: Bool
    /// Whether the MANIFEST has a hash of each object, so that a restore proves what is damaged.
    package var hasHashes: Bool
    /// Whether a folder is all that a restore needs, and no running server.
    package var restoresIntoFolder: Bool
    package var leavesOut: Set<Omission>
}

/// A server that stands still, and what it said of its files while it ran.
package struct StoppedServer: Sendable {
    package var directory: TabletDirectory
    package var files: ServerFiles

    /// Describes a server.
    package init(_ directory: TabletDirectory, files: ServerFiles = ServerFiles()) {
        (self.directory, self.files) = (directory, files)
    }
}

/// What an engine has copied.
package struct Taken: Hashable, Sendable {
    /// What the manifest says of it.
    package var details: Manifest.Details
    /// Where the copy is, when the engine decides that; `nil`: where the server was.
    package var position: Position?

    /// Describes a copy.
    package init(_ details: Manifest.Details, position: Position? = nil) {
        (self.details, self.position) = (details, position)
    }
}

/// A way to copy a server into a backup.
package protocol BackupEngine: Sendable {
    var traits: EngineTraits { get }

    /// Sees before the hours that a pass may take that what would be written can be read.
    /// - Throws: ``EngineError``.
    func check() async throws

    /// Copies the server, and reads back from the store what shows that the MANIFEST will say the truth.
    /// - Parameters:
    ///   - server: stands still until this returns.
    ///   - writer: takes the objects; the caller commits.
    ///   - reader: of the same backup.
    ///   - meter: counts what was read.
    /// - Returns: what was copied, and what the manifest says of it.
    /// - Throws: ``EngineError`` that names file and object.
    func take(
        _ server: StoppedServer,
        to writer: any BackupWriter,
        readingBackFrom reader: any BackupReader,
        meter: TransferMeter
    ) async throws -> Taken
}
