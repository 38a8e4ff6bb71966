extension StoredFormat {
    /// First bytes of formats that compressors write.
    private static let beginnings: [(name: String, bytes: [UInt8])] = [
        ("gzip", [0x1f, 0x8b]), ("Zstandard", [0x28, 0xb5, 0x2f, 0xfd]), ("LZ4", [0x04, 0x22, 0x4d, 0x18]),
        ("xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]), ("bzip2", [0x42, 0x5a, 0x68]),
    ]

    /// So many bytes tell which format an object has.
    package static let recognizedLength = 6

    /// Its name in that list; `nil` for what can begin in any way.
    private var name: String? {
        switch self {
        case .gzip: "gzip"
        case .zstd: "Zstandard"
        case .lz4: "LZ4"
        case .identity, .external: nil
        }
    }

    /// Sees that an object is not of another format than the manifest says, by its first bytes.
    /// - Throws: ``CompressionError`` with code `otherFormat`.
    package func recognize(_ first: UnsafeRawBufferPointer) throws(CompressionError) {
        guard let name, let found = Self.beginnings.first(where: { first.starts(with: $0.bytes) }), found.name != name
        else { return }
        throw CompressionError(
            .otherFormat,
            "its bytes are \(found.name) and not \(name), as the MANIFEST says: an --external-compressor wrote it, and not the engine that --compression-engine-name named, so that neither Vitess nor this program reads it as it is; HINT: \(Self.advice(found.name)), and remove VERIFIED beside it if it is there"
        )
    }

    /// The way out for what only another program reads.
    static func readByCommand(_ command: String) -> String {
        "write \"external\" into the key CompressionEngine of the MANIFEST and give --external-decompressor=\"\(command)\" to restore it"
    }

    private static func advice(_ found: String) -> String {
        let engine = ["gzip": "pgzip", "Zstandard": "zstd", "LZ4": "lz4"][found]
        return
            "write \(engine.map { "\"\($0)\"" } ?? "\"external\" and the command that reads it (ExternalDecompressor)") into the key CompressionEngine of the MANIFEST to restore it"
    }
}

extension StoredFormat {
    /// A decoder for the whole object from front to back; `nil` when it is no codec of ours.
    package func makeStreamDecoder() -> (any StreamDecoder)? {
        switch self {
        case .gzip: GzipDecoder()
        case .zstd: ZstdDecoder()
        case .lz4: LZ4Decoder()
        case .identity, .external: nil
        }
    }
}
