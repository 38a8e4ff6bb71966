import Catalog
import Engines
import Host
import MySQLControl
import Storage

/// Unpacks a backup into a tablet's folder and checks it: what a pass, its verification, a restore into a folder and a tablet
/// have in common.
struct BackupRestore: Sendable {
    let engines: RestoreEngines

    /// Where a backup goes.
    struct Target: Sendable {
        var directory: TabletDirectory
        /// Whose it will be; `nil`: ours.
        var owner: FileOwner?
        /// Writes my.cnf, for a server that will run there.
        var writeConfiguration: @Sendable () async throws -> Void = {}
    }

    /// Checks that the backup can be restored and fits, empties the folder's place for it, unpacks it, and takes the marker
    /// away that stands there until everything has been checked.
    /// - Parameters:
    ///   - manifest: the backup's, with its list of files.
    ///   - reader: of the backup.
    ///   - target: where it goes.
    ///   - meter: counts what was written.
    /// - Throws: ``WorkflowError`` that names the folder when it is refused or full; what the engine throws.
    func run(
        _ manifest: Manifest,
        from reader: any BackupReader,
        into target: Target,
        meter: TransferMeter
    ) async throws {
        let directory = target.directory
        let engine = try await step(.refused, "cannot restore backup \(reader.name)") {
            let engine = try engines.engine(of: manifest)
            try engine.check(manifest)
            return engine
        }
        try await step(.refused, "cannot restore into \(directory.path)") {
            try await engine.checkSpace(manifest, from: reader, to: directory)
            try directory.prepareForRestore(owner: target.owner)
            try await target.writeConfiguration()
        }
        try await explainingFullDisk {
            "restoring \(reader.name) needs \(manifest.builtin?.totalSizes.map { "\($0.raw) bytes" } ?? "more") there"
        } _: {
            try await engine.restore(manifest, from: reader, to: directory, meter: meter)
        }
        try directory.finishRestore()
    }
}

extension BackupRestore.Target {
    /// The folder of a pass's own server.
    init(_ mysqld: any TabletServer) {
        self.init(directory: mysqld.directory, owner: mysqld.fileOwner) { try await mysqld.writeConfiguration() }
    }
}
