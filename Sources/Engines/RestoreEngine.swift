package import Catalog
package import MySQLControl
package import Storage
import Vocabulary

/// A way to bring back what a ``BackupEngine`` has copied.
package protocol RestoreEngine: Sendable {
    var traits: EngineTraits { get }

    /// Tells whether the backup is of a kind that can be restored here, before anything is touched.
    /// - Throws: ``EngineError`` with code `unsupportedBackup`; ``CompressionError`` with code `unsupported`.
    func check(_ manifest: Manifest) throws

    /// Tells whether the backup fits where it is to go, as far as its manifest or its objects tell.
    /// - Throws: ``EngineError`` with code `noSpace` that names the file system; what the store throws.
    func checkSpace(
        _ manifest: Manifest,
        from reader: any BackupReader,
        to directory: TabletDirectory
    ) async throws

    /// Restores into a folder that is ready for it, and checks what can be checked.
    /// - Throws: ``EngineError`` that names file and object.
    func restore(
        _ manifest: Manifest,
        from reader: any BackupReader,
        to directory: TabletDirectory,
        meter: TransferMeter
    ) async throws
}

/// The engines whose backups can be restored here.
package struct RestoreEngines: Sendable {
    private let engines: [any RestoreEngine]

    /// Lists them.
    package init(_ engines: [any RestoreEngine]) {
        self.engines = engines
    }

    /// Their names in manifests.
    package var methods: Set<BackupMethod> { Set(engines.map(\.traits.method)) }

    /// Of those that need nothing but a folder.
    package var methodsIntoFolders: Set<BackupMethod> {
        Set(engines.filter(\.traits.restoresIntoFolder).map(\.traits.method))
    }

    /// The one that took a backup.
    /// - Throws: ``EngineError`` with code `unsupportedBackup`.
    package func engine(of manifest: Manifest) throws -> any RestoreEngine {
        guard let engine = engines.first(where: { $0.traits.method == manifest.method }) else {
            throw EngineError(
                .unsupportedBackup,
                "can't restore backup created with \"\(PrintableText.line(manifest.method.description))\" engine; no such BackupEngine implementation is registered"
            )
        }
        return engine
    }
}
