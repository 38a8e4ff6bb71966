import Catalog
import NIOCore

extension Manifest {
    /// The bytes of the `MANIFEST` object, held once and read back.
    /// - Throws: ``CatalogError``: what cannot be read again must not become the commit record.
    func commitRecord() throws -> ByteBuffer {
        let record = CollectedBytes()
        encode { record.bytes.writeBytes($0) }
        var decoder = ManifestDecoder(files: .counted)
        try record.bytes.withUnsafeReadableBytes { try decoder.feed($0) }
        _ = try decoder.finish()
        return record.bytes
    }
}

/// Grows while a document is written.
private final class CollectedBytes {
    var bytes = ByteBuffer()
}
