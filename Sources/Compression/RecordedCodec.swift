import Processes

/// How new backups are compressed together with what their manifest says of it: one value, so that the two cannot part.
package struct RecordedCodec: Hashable, Sendable {
    /// What compresses.
    package let codec: Codec
    /// The manifest's `CompressionEngine`; Vitess records it also when nothing is compressed.
    package let engine: String
    /// The manifest's `ExternalDecompressor`; empty: none.
    package let manifestDecompressor: String
    /// Commands that read what an external command has written, as far as the operator names any, the manifest's first.
    private let decompressors: [ExternalCommand]

    /// The manifest's `SkipCompress`.
    package var skipsCompression: Bool { codec == .identity }

    /// A codec of ours under the name that it has in manifests.
    package init(_ codec: Codec) {
        self.codec = codec
        (manifestDecompressor, decompressors) = ("", [])
        engine =
            switch codec {
            case .identity, .gzip: "pargzip"
            case .zstd: "zstd"
            case .lz4: "lz4"
            case .external: "external"
            }
    }

    /// The codec that the flags ask for.
    ///
    /// A command wins over the engine's name, which the manifest still gives: readers without the command use that
    /// engine. Whether the two belong together only a sample shows.
    /// - Parameters:
    ///   - engine: `--compression-engine-name`.
    ///   - level: `--compression-level`.
    ///   - compresses: `--backup-storage-compress`.
    ///   - compressor: `--external-compressor`; empty: none.
    ///   - manifestDecompressor: `--manifest-external-decompressor`; empty: none.
    ///   - decompressor: `--external-decompressor`; empty: none.
    /// - Throws: ``CompressionError`` with code `unsupported`.
    package init(
        engine: String,
        level: Int,
        compresses: Bool,
        compressor: String,
        manifestDecompressor: String,
        decompressor: String
    ) throws(CompressionError) {
        (self.engine, self.manifestDecompressor) = (engine, manifestDecompressor)
        var decompressors: [ExternalCommand] = []
        for text in [manifestDecompressor, decompressor] where !text.isEmpty {
            decompressors.append(try ExternalCommand(codec: text))
        }
        self.decompressors = decompressors
        if !compresses {
            codec = .identity
        } else if compressor.isEmpty {
            codec = try Codec(engine: engine, level: level)
        } else {
            guard Codec.isEngine(engine) else { throw Codec.unsupported(engine) }
            codec = .external(try ExternalCommand(codec: compressor))
        }
    }

    /// How the objects are read by whoever has nothing but the manifest, and the commands that are known here; each of them
    /// must do.
    ///
    /// Empty: only a command that nobody has named can read them.
    package var readers: [StoredFormat] {
        if skipsCompression { return [.identity] }
        if engine == "external" { return decompressors.map { .external($0) } }
        return [try? StoredFormat(engine: engine, manifestCommand: "", decompressors: .init())].compactMap { $0 }
    }
}
