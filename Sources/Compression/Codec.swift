/// How the data objects of a backup are compressed.
package enum Codec: Hashable, Sendable {
    /// Stored as they are.
    case identity
    /// Gzip members, one per chunk; written by `pargzip` and `pgzip`.
    case gzip(level: GzipLevel)

    /// Level of the gzip encoder.
    package enum GzipLevel: Hashable, Sendable {
        case stored
        /// ISA-L's level 0 to 3.
        case isal(Int)
    }

    /// The codec for `--compression-engine-name` and `--compression-level` when a backup is taken.
    ///
    /// gzip level 1 and 2 are ISA-L's, 3 to 9 and -1 are its 3, 0 stores, -2 is its 0.
    /// - Throws: ``CompressionError`` with code `unsupported`; the text for an unknown name is Vitess's.
    package init(engine: String, level: Int) throws(CompressionError) {
        switch engine {
        case "pargzip", "pgzip":
            switch level {
            case -2: self = .gzip(level: .isal(0))
            case -1, 3...9: self = .gzip(level: .isal(3))
            case 0: self = .gzip(level: .stored)
            case 1, 2: self = .gzip(level: .isal(level))
            default:
                throw CompressionError(
                    .unsupported,
                    "--compression-level=\(level) is not a gzip level; use -2 to 9 with --compression-engine-name=\(engine)"
                )
            }
        case "lz4", "zstd", "external":
            throw CompressionError(
                .unsupported,
                "--compression-engine-name=\(engine) is not available in this version yet; use pargzip or pgzip, or --backup-storage-compress=false"
            )
        default:
            throw CompressionError(
                .unsupported,
                "unsupported engine value for --compression-engine-name. supported values are 'external', 'pgzip', 'pargzip', 'zstd', 'lz4' value: \"\(engine)\""
            )
        }
    }

    /// The codec that reads the objects of a backup whose manifest names `engine`.
    /// - Throws: ``CompressionError`` with code `unsupported`.
    package init(readingEngine engine: String) throws(CompressionError) {
        switch engine {
        case "pargzip", "pgzip": self = .gzip(level: .isal(1))
        case "lz4", "zstd", "external":
            throw CompressionError(
                .unsupported,
                "the backup is compressed with \(engine), which this version cannot read yet; restore it with Vitess, or choose another backup with --backup-name"
            )
        default: throw CompressionError(.unsupported, "unsupported engine in MANIFEST: \"\(engine)\"")
        }
    }
}
