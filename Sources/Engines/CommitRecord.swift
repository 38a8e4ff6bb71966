package import Catalog
package import NIOCore

extension Manifest {
    /// The bytes of the `MANIFEST` object, held once and read back.
    /// - Throws: ``CatalogError``: what cannot be read again must not become the commit record.
    package func commitRecord() throws -> ByteBuffer {
        let record = CollectedBytes()
        // At once: a buffer that grows by doubling is there twice, and these may be 50 MB.
        let names = builtin?.files.reduce(0) { $0 + $1.name.utf8.count + Self.bytesBesidesName } ?? 0
        record.bytes.reserveCapacity(names + (1 << 16))
        encode { record.bytes.writeBytes($0) }
        var decoder = ManifestDecoder(files: .counted)
        try record.bytes.withUnsafeReadableBytes { try decoder.feed($0) }
        _ = try decoder.finish()
        return record.bytes
    }

    /// What an entry and its sizes take in the document besides the file's name, with the largest numbers.
    private static var bytesBesidesName: Int { 220 }
}

/// Grows while a document is written.
private final class CollectedBytes {
    var bytes = ByteBuffer()
}
