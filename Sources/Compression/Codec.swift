package import Processes

/// How the data objects of a new backup are compressed.
package enum Codec: Hashable, Sendable {
    /// Stored as they are.
    case identity
    /// Gzip members, one per chunk; written by `pargzip` and `pgzip`.
    case gzip(level: GzipLevel)
    /// Zstandard frames, one per chunk.
    case zstd(level: Int)
    /// One LZ4 frame of independent blocks, one per chunk.
    case lz4(level: LZ4Level)
    /// A program of the operator's, one process a file.
    case external(ExternalCommand)

    /// Level of the gzip encoder.
    package enum GzipLevel: Hashable, Sendable {
        case stored
        /// ISA-L's level 0 to 3.
        case isal(Int)
    }

    /// Level of the LZ4 encoder.
    package enum LZ4Level: Hashable, Sendable {
        case fast
        /// The high compression variant's level, 2 to 9.
        case high(Int)
    }

    /// The codec for `--compression-engine-name` and `--compression-level` when a backup is taken.
    ///
    /// gzip: 1 and 2 are ISA-L's levels, 3 to 9 and -1 are its 3, 0 stores, -2 is its 0. zstd: 1 to 4 are 1, 3, 7 and 11
    /// of the C library. lz4: 0 and 1 are fast, 2 to 9 high compression.
    /// - Throws: ``CompressionError`` with code `unsupported`; the text for an unknown name is Vitess's.
    package init(engine: String, level: Int) throws(CompressionError) {
        switch (engine, level) {
        case ("pargzip", -2), ("pgzip", -2): self = .gzip(level: .isal(0))
        case ("pargzip", -1), ("pgzip", -1), ("pargzip", 3...9), ("pgzip", 3...9): self = .gzip(level: .isal(3))
        case ("pargzip", 0), ("pgzip", 0): self = .gzip(level: .stored)
        case ("pargzip", 1...2), ("pgzip", 1...2): self = .gzip(level: .isal(level))
        case ("pargzip", _), ("pgzip", _): throw Self.refused(level, of: engine, range: "-2 to 9")
        case ("zstd", 1...4): self = .zstd(level: [1, 3, 7, 11][level - 1])
        case ("zstd", _): throw Self.refused(level, of: engine, range: "1 to 4")
        case ("lz4", 0...1): self = .lz4(level: .fast)
        case ("lz4", 2...9): self = .lz4(level: .high(level))
        case ("lz4", _): throw Self.refused(level, of: engine, range: "0 to 9")
        default: throw Self.unsupported(engine)
        }
    }

    private static func refused(_ level: Int, of engine: String, range: String) -> CompressionError {
        CompressionError(
            .unsupported,
            "--compression-level=\(level) is not a level of --compression-engine-name=\(engine); use \(range)"
        )
    }

    /// The engine is unknown, or `external` without a command.
    package static func unsupported(_ engine: String) -> CompressionError {
        CompressionError(
            .unsupported,
            "unsupported engine value for --compression-engine-name. supported values are 'external', 'pgzip', 'pargzip', 'zstd', 'lz4' value: \"\(engine)\""
        )
    }

    /// Whether `name` is one of the values of `--compression-engine-name`.
    package static func isEngine(_ name: String) -> Bool {
        ["external", "pgzip", "pargzip", "zstd", "lz4"].contains(name)
    }

    /// Raw bytes that are compressed on their own.
    ///
    /// `--backup-storage-block-size` is gzip's; zstd takes smaller tables for less than 256 KiB. What is only copied stays
    /// in the processor's cache when it is small.
    package func chunkSize(blockSize: Int) -> Int {
        switch self {
        case .identity: 1 << 18
        case .gzip: blockSize
        case .zstd, .lz4, .external: 1 << 20
        }
    }

    /// Bytes that are enough for any chunk of `content` bytes, however it is compressed.
    package static func bound(_ content: Int) -> Int { content + content / 8 + 4096 }
}
