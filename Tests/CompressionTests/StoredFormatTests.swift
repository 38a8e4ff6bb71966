import Testing

@testable import Compression

@Suite("what a manifest's engine is read with")
struct StoredFormatTests {
    private func format(
        _ engine: String,
        manifest: String = "",
        given: String = "",
        trusting: Bool = false
    ) throws(CompressionError) -> StoredFormat {
        var decompressors = StoredFormat.ExternalDecompressors()
        (decompressors.command, decompressors.trustsManifest) = (given, trusting)
        return try StoredFormat(engine: engine, manifestCommand: manifest, decompressors: decompressors)
    }

    @Test("a builtin name is decoded here, whatever commands there are")
    func builtin() throws {
        for (engine, expected) in [
            ("pargzip", StoredFormat.gzip), ("pgzip", .gzip), ("zstd", .zstd), ("lz4", .lz4),
        ] {
            #expect(try format(engine) == expected)
            #expect(try format(engine, manifest: "xz -d", given: "cat", trusting: true) == expected)
        }
    }

    @Test("the operator's command wins over the manifest's")
    func given() throws {
        let expected = StoredFormat.external(try ExternalCommand("zstd -d"))
        #expect(try format("external", given: "zstd -d") == expected)
        #expect(try format("external", manifest: "rm -rf /", given: "zstd -d", trusting: true) == expected)
    }

    @Test("the manifest's command runs only when the operator trusts it")
    func manifest() throws {
        #expect(try format("external", manifest: "xz -d", trusting: true) == .external(try ExternalCommand("xz -d")))
        let error = #expect(throws: CompressionError.self) { try format("external", manifest: "xz -d") }
        #expect(
            error?.message.hasPrefix("unsupported engine in MANIFEST. You need to provide --external-decompressor")
                == true
        )
        #expect(error?.message.contains("\"xz -d\"") == true)
        #expect(throws: CompressionError.self) { try format("external", trusting: true) }
    }

    @Test("an unknown engine is refused in Vitess's words")
    func unknown() {
        let error = #expect(throws: CompressionError.self) { try format("bzip2") }
        #expect(error?.message == "Unkown decompressor engine: \"bzip2\"")
    }
}
