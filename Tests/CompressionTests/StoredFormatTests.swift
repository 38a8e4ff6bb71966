import Testing

@testable import Compression
@testable import Processes

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

    @Test("a command or engine of a hostile manifest does nothing to a terminal or log")
    func hostile() throws {
        let command = "zstd\u{1b}[2J -d\nE1121 12:00:00.000000       1 x.go:1] all is well\u{202e}"
        var trusting = StoredFormat.ExternalDecompressors()
        trusting.trustsManifest = true
        guard
            case .external(let parsed) = try StoredFormat(
                engine: "external",
                manifestCommand: command,
                decompressors: trusting
            )
        else {
            Issue.record("no external command")
            return
        }
        // What is run is what it says; only what is shown of it is not.
        #expect(parsed.words.first == "zstd\u{1b}[2J")
        var texts = [parsed.description]
        for engine in ["external", command] {
            let error = #expect(throws: CompressionError.self) {
                try StoredFormat(engine: engine, manifestCommand: command, decompressors: .init())
            }
            texts.append(error?.message ?? "")
        }
        for text in texts {
            #expect(text.contains("\\u{1b}[2J") && text.contains("\\u{a}E1121") && text.contains("\\u{202e}"))
            #expect(text.unicodeScalars.allSatisfy { (0x20..<0x7f).contains($0.value) })
        }
    }
}
