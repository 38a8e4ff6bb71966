package import NIOCore

/// Compresses one chunk after another into pieces of an object that decode on their own.
///
/// Holds the codec's tables: used by one thread at a time, again and again.
package protocol ChunkEncoder: AnyObject {
    /// Compresses `content`.
    /// - Throws: ``CompressionError`` with code `failed`; any input can be compressed.
    func encode(_ content: UnsafeRawBufferPointer) throws(CompressionError) -> ByteBuffer
}

extension Codec {
    /// A new encoder; `nil` when chunks are not encoded one by one here.
    package func makeEncoder() -> (any ChunkEncoder)? {
        switch self {
        case .identity, .external: nil
        case .gzip(let level): GzipEncoder(level: level)
        case .zstd(let level): ZstdEncoder(level: level)
        case .lz4(let level): LZ4BlockEncoder(level: level)
        }
    }
}
