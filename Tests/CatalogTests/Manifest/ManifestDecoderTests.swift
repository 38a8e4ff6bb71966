import Testing

@testable import Catalog
@testable import Vocabulary

/// A MANIFEST may have 50 MB: it is read as it arrives.
@Suite("Manifests: read in pieces")
struct ManifestDecoderTests {
    private func decode(
        _ bytes: [UInt8],
        pieces size: Int,
        files: ManifestDecoder.Files = .kept
    ) throws -> Manifest {
        var decoder = ManifestDecoder(files: files)
        for start in stride(from: 0, to: bytes.count, by: size) where !decoder.isComplete {
            try bytes[start..<min(start + size, bytes.count)].withUnsafeBytes { try decoder.feed($0) }
        }
        return try decoder.finish()
    }

    /// A manifest of ours with so many files.
    private func large(_ count: Int) throws -> Manifest {
        var manifest = try SampleManifest.withExtensions()
        manifest.builtin?.files = (0..<count).map { index in
            FileEntry(
                base: .data,
                name: "vt_ks/t\(index)#p#,]\"{\\.ibd",
                hash: UInt32(index),
                sizes: FileEntry.Sizes(raw: Int64(index) << 14, stored: Int64(index))
            )
        }
        return manifest
    }

    @Test("pieces of any size give the same", arguments: [1, 2, 3, 7, 64, 4096])
    func pieces(size: Int) throws {
        for name in try Fixture.names(in: "manifests") {
            let bytes = try Fixture.bytes("manifests/\(name)")
            #expect(try decode(bytes, pieces: size) == Manifest(decoding: bytes), "\(name)")
        }
        // An editor's byte order mark comes in pieces, too.
        let bytes = try Fixture.bytes("manifests/full-v24.json")
        #expect(try decode([0xef, 0xbb, 0xbf] + bytes, pieces: size) == Manifest(decoding: bytes))
    }

    @Test("lists of many batches come back whole, with structure in their names", arguments: [1, 300, 301, 5_000])
    func manyFiles(count: Int) throws {
        let manifest = try large(count)
        #expect(try decode(manifest.encoded(), pieces: 10_000) == manifest)
    }

    @Test("counted, a list leaves its sums only, and every element is checked")
    func counted() throws {
        let manifest = try large(1_000)
        let counted = try decode(manifest.encoded(), pieces: 10_000, files: .counted)
        #expect(counted.builtin?.files == [])
        #expect(counted.builtin?.totals == manifest.builtin?.totals)
        var dropped = manifest
        dropped.builtin?.dropFiles()
        #expect(counted == dropped)
        #expect(
            try decode(Fixture.bytes("manifests/full-v24.json"), pieces: 99, files: .counted).builtin?.totals.sizes
                == nil
        )

        var repeating = manifest
        repeating.builtin?.files[999] = try #require(manifest.builtin?.files[3])
        #expect(throws: CatalogError.self) { try decode(repeating.encoded(), pieces: 999, files: .counted) }
        var outside = manifest
        outside.builtin?.files[998].name = "../x"
        #expect(throws: CatalogError.self) { try decode(outside.encoded(), pieces: 999, files: .counted) }
    }

    @Test("what is written in pieces is what is written at once")
    func writtenInPieces() throws {
        let manifest = try large(3_000)
        final class Pieces { var list: [[UInt8]] = [] }
        let pieces = Pieces()
        manifest.encode { pieces.list.append($0) }
        #expect(Array(pieces.list.joined()) == manifest.encoded())
        #expect(pieces.list.count > 5 && pieces.list.allSatisfy { $0.count < 1 << 17 })
    }

    @Test(
        "what is no JSON stays none when its lists are taken apart",
        arguments: [
            "[,{}]", "[{} {}]", "[{}}", "[{}", "[{\"Name\": \"}]", "[{\"Name\"}]", "[tru]", "[[{}]", "{}]",
        ]
    )
    func broken(list: String) throws {
        for count in [0, 400] {
            // Long enough for a batch of its own before it.
            let entries = (0..<count).map {
                #"{"Base": "Data", "Name": "file-of-some-length-\#($0)", "Hash": "00000000"}"#
            }
            let before = entries.map { $0 + "," }.joined()
            let text = #"{"FileEntries": "# + list.prefix(1) + before + list.dropFirst() + "}"
            #expect(throws: CatalogError.self, "\(text.suffix(40))") {
                _ = try decode(Array(text.utf8), pieces: 100)
            }
        }
    }

    @Test("a comma at the end of a batch promises another element")
    func commaAtTheEnd() throws {
        let entry = #"{"Base": "Data", "Name": "\#(String(repeating: "x", count: 40_000))"},"#
        #expect(throws: CatalogError.self) {
            try decode(Array(#"{"BackupMethod": "other", "FileEntries": [\#(entry)]}"#.utf8), pieces: 100)
        }
    }

    @Test("lists of the same name elsewhere are nobody's, and in another engine's manifest they do not matter")
    func elsewhere() throws {
        let entries = #"[{"Base": "nowhere", "Name": 5}, 3]"#
        for text in [
            #"{"IncrementalDetails": {"FileEntries": \#(entries), "Files": []}}"#,
            #"{"Other": {"FileEntries": \#(entries)}, "Files": \#(entries)}"#,
            #"{"FileEntries": \#(entries), "BackupMethod": "xtrabackup"}"#,
            #"{"Extensions": {"Format": 2, "Files": \#(entries)}}"#,
            #"{"Extensions": {"Other": {"Files": \#(entries)}, "FileEntries": [1]}}"#,
        ] {
            #expect(throws: Never.self, "\(text)") { try decode(Array(text.utf8), pieces: 5) }
        }
        #expect(throws: CatalogError("MANIFEST FileEntries[0] key Name is not a string")) {
            try decode(Array(#"{"fileENTRIES": \#(entries)}"#.utf8), pieces: 5)
        }
    }

    @Test("sizes may come before the files")
    func sizesFirst() throws {
        let text = #"""
            {"Extensions": {"Files": [{"Size": 3, "StoredSize": 2}], "Format": 1},
            "FileEntries": [{"Base": "Data", "Name": "a", "Hash": "00000001"}]}
            """#
        let expected = FileEntry(base: .data, name: "a", hash: 1, sizes: FileEntry.Sizes(raw: 3, stored: 2))
        #expect(try decode(Array(text.utf8), pieces: 9).builtin?.files == [expected])
    }

    @Test("a list is not taken twice, nor under a spelling that only a decoder sees")
    func twice() {
        for text in [
            #"{"FileEntries": [], "fileentries": []}"#, #"{"File\u0045ntries": [{"Base": "Data", "Name": "a"}]}"#,
            #"{"Extensions": {"Format": 1, "F\u0069les": [{}]}}"#,
        ] {
            #expect(throws: CatalogError.self, "\(text)") { try decode(Array(text.utf8), pieces: 9) }
        }
    }

    @Test("what follows the object does not matter, however long it is")
    func rest() throws {
        let bytes = try Fixture.bytes("manifests/full-v24.json")
        let rest = [UInt8](repeating: UInt8(ascii: "]"), count: 1 << 20)
        #expect(try decode(bytes + rest, pieces: 1 << 16) == Manifest(decoding: bytes))
    }

    @Test("a value without end is refused before it fills the memory")
    func endlessValue() throws {
        var decoder = ManifestDecoder(files: .counted)
        try Array(#"{"BackupName": ""#.utf8).withUnsafeBytes { try decoder.feed($0) }
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
        #expect(throws: CatalogError.self) {
            for _ in 0..<20 { try piece.withUnsafeBytes { try decoder.feed($0) } }
        }
    }
}
