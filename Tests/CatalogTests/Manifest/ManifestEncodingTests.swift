import FoundationEssentials
import Positions
import Testing

@testable import Catalog

/// The golden files were not made by this code: `full-v24.json` is the example of the specification, and the others were
/// laid out after it.
@Suite("Manifests: written byte for byte as Vitess writes them")
struct ManifestEncodingTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var file: String
        var manifest: @Sendable () throws -> Manifest
        var testDescription: String { file }
    }

    @Test(
        "Golden files",
        arguments: [
            Case(file: "full-v24.json") { try SampleManifest.full() },
            Case(file: "full-v23.json") { try SampleManifest.fullV23() },
            Case(file: "full-extensions.json") { try SampleManifest.withExtensions() },
            Case(file: "incremental.json") { try SampleManifest.incremental() },
            Case(file: "chunks-v25.json") { try SampleManifest.chunked() },
            Case(file: "no-files.json") { try SampleManifest.withoutFiles() },
            Case(file: "xtrabackup.json") { try SampleManifest.xtrabackup() },
            Case(file: "mysqlshell.json") { try SampleManifest.mysqlShell() },
            Case(file: "escapes.json") { try SampleManifest.escapes() },
        ]
    )
    func golden(_ sample: Case) throws {
        let manifest = try sample.manifest()
        #expect(String(decoding: manifest.encoded(), as: UTF8.self) == (try Fixture.text("manifests/\(sample.file)")))
        #expect(try manifest.encoded() == Fixture.bytes("manifests/\(sample.file)"))
        #expect(try Manifest(decoding: manifest.encoded()) == manifest)
    }

    @Test("Sizes are written only when all files have them")
    func partialSizes() throws {
        var manifest = try SampleManifest.withExtensions()
        manifest.builtin?.files[1].sizes = nil
        #expect(!String(decoding: manifest.encoded(), as: UTF8.self).contains("Extensions"))
    }

    @Test("Another engine's manifest has no key of the builtin engine")
    func otherEngine() throws {
        var manifest = try SampleManifest.full()
        manifest.details = .other("clone")
        let text = String(decoding: manifest.encoded(), as: UTF8.self)
        #expect(text.hasSuffix("\n  \"IncrementalDetails\": null\n}"))
    }

    @Test(
        "Hashes have eight lower-case digits",
        arguments: [(0, "00000000"), (0xcbf4_3926, "cbf43926"), (.max, "ffffffff")]
    )
    func hashes(_ hash: UInt32, _ text: String) {
        #expect(FileEntry.hexadecimal(hash) == text)
    }
}
