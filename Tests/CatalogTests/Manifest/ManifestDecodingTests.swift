import FoundationEssentials
import Positions
import Testing

@testable import Catalog
@testable import Vocabulary

@Suite("Manifests: read as Vitess reads them")
struct ManifestDecodingTests {
    private func decoded(_ file: String) throws -> Manifest {
        try Manifest(decoding: Fixture.bytes("manifests/\(file)"))
    }

    private func decoded(json text: String) throws -> Manifest { try Manifest(decoding: Array(text.utf8)) }

    @Test("Every fixture is readable")
    func everyFixture() throws {
        let names = try Fixture.names(in: "manifests")
        #expect(names.count == 12)
        for name in names {
            #expect(throws: Never.self, "\(name)") { try decoded(name) }
        }
    }

    @Test("Full, of v24")
    func fullV24() throws {
        #expect(try decoded("full-v24.json") == SampleManifest.full())
        #expect(try decoded("full-v24.json").duration == 4)
    }

    @Test("Full, of v23: no host name, which is not the same as an empty one")
    func fullV23() throws {
        #expect(try decoded("full-v23.json") == SampleManifest.fullV23())
        #expect(try decoded(json: "{\"Hostname\": \"\"}").hostname == "")
    }

    @Test("Full, of ours: sizes")
    func extensions() throws {
        let manifest = try decoded("full-extensions.json")
        #expect(try manifest == SampleManifest.withExtensions())
        #expect(manifest.builtin?.totalSizes == FileEntry.Sizes(raw: 12_582_912, stored: 48_211))
        #expect(try decoded("full-v24.json").builtin?.totalSizes == nil)
    }

    @Test("Incremental")
    func incremental() throws {
        #expect(try decoded("incremental.json") == SampleManifest.incremental())
    }

    @Test("Chunks of v25")
    func chunks() throws {
        #expect(try decoded("chunks-v25.json") == SampleManifest.chunked())
    }

    @Test("Chunks may be listed in any order")
    func chunkOrder() throws {
        let text = try Fixture.text("manifests/chunks-v25.json")
        let swapped = text.replacing("\"1-0\",\n          \"Offset\": 0", with: "@")
            .replacing("\"1-1\",\n          \"Offset\": 4194304", with: "\"1-0\",\n          \"Offset\": 0")
            .replacing("@", with: "\"1-1\",\n          \"Offset\": 4194304")
        #expect(swapped != text)
        let chunks = try decoded(json: swapped).builtin?.files.last?.chunks
        #expect(chunks?.map(\.storageName) == ["1-0", "1-1", "1-2"])
        #expect(chunks?.map(\.hash) == [2, 1, 0xffff_fffe])
    }

    @Test("Nothing to list is null, or missing")
    func noFiles() throws {
        #expect(try decoded("no-files.json") == SampleManifest.withoutFiles())
        #expect(try decoded(json: "{}").builtin?.files == [])
        #expect(try decoded(json: "{}").builtin?.totalSizes == FileEntry.Sizes(raw: 0, stored: 0))
    }

    @Test("An engine that we do not know: the common keys")
    func unknownEngine() throws {
        let manifest = try decoded(json: #"{"BackupMethod": "clone", "Keyspace": "k", "FileEntries": 7}"#)
        #expect(manifest.details == .other("clone"))
        #expect(manifest.keyspace == "k")
    }

    @Test("Unknown keys are ignored, whatever is in them")
    func unknownKeys() throws {
        #expect(try decoded("unknown-keys.json") == SampleManifest.full())
    }

    @Test("The case of keys does not matter")
    func keyCase() throws {
        #expect(try decoded("odd-key-case.json") == SampleManifest.full())
    }

    @Test("Of two spellings of a key the exact one counts")
    func exactCase() throws {
        #expect(try decoded(json: "{\"shard\": \"a\", \"Shard\": \"b\", \"SHARD\": \"c\"}").shard == "b")
    }

    @Test("Of several odd ones it is always the first in byte order")
    func oddCases() throws {
        let keys = [
            "BackupName", "FromBackup", "ServerUUID", "TabletAlias", "Hostname", "Keyspace", "Shard", "MySQLVersion",
        ]
        let fields = keys.flatMap { key in
            let first = key.prefix(1).lowercased()
            return [key.lowercased(), first + key.dropFirst().uppercased(), first + key.dropFirst()].map {
                "\"\($0)\": \"\($0)\""
            }
        }
        let manifest = try decoded(json: "{\(fields.joined(separator: ", "))}")
        let read = [
            manifest.backupName, manifest.fromBackup, manifest.serverUUID, manifest.tabletAlias, manifest.hostname,
            manifest.keyspace, manifest.shard, manifest.mysqlVersion,
        ]
        #expect(read == keys.map { $0.prefix(1).lowercased() + $0.dropFirst().uppercased() })
    }

    @Test("Very old manifests: no method is builtin, no compression engine is pgzip")
    func legacy() throws {
        let manifest = try decoded("legacy.json")
        #expect(manifest.method == .builtin)
        #expect(manifest.builtin?.effectiveCompressionEngine == "pgzip")
        #expect(manifest.builtin?.files == [FileEntry(base: .data, name: "ibdata1", hash: 0x9ae0_daaf)])
        #expect(try manifest.position == SampleManifest.position("1-61"))
        #expect(manifest.backupTime == nil && manifest.duration == nil && manifest.incrementalDetails == nil)
        #expect(try decoded("full-v24.json").builtin?.effectiveCompressionEngine == "pargzip")
    }

    @Test(
        "A time that cannot be read is unknown, and the backup as complete as before",
        arguments: ["BackupTime", "FinishedTime"].flatMap { key in
            ["yesterday", "2026-02-30T00:00:00Z", "2026-03-27 10:15:00", "0"].map { (key, $0) }
        }
    )
    func times(_ key: String, _ time: String) throws {
        let other = key == "BackupTime" ? "FinishedTime" : "BackupTime"
        let text = #"{"\#(other)": "2026-03-27T10:15:00Z", "\#(key)": "\#(time)"}"#
        let manifest = try Manifest(decoding: Array(text.utf8))
        #expect((key == "BackupTime" ? manifest.backupTime : manifest.finishedTime) == nil)
        #expect((key == "BackupTime" ? manifest.finishedTime : manifest.backupTime) != nil)
        #expect(manifest.duration == nil)
    }

    @Test("A byte order mark before the document is skipped")
    func byteOrderMark() throws {
        #expect(
            try Manifest(decoding: [0xef, 0xbb, 0xbf] + Fixture.bytes("manifests/full-v24.json"))
                == decoded("full-v24.json")
        )
    }

    @Test("Escapes and null values")
    func escapes() throws {
        #expect(try decoded("escapes.json") == SampleManifest.escapes())
        let nulls = try decoded(
            json: "{\"BackupName\": null, \"Incremental\": null, \"Position\": null, \"Hostname\": null}"
        )
        #expect(nulls == (try decoded(json: "{}")))
    }

    @Test(
        "Only the first value of the stream is read",
        arguments: ["\n", "garbage", "{\"BackupName\": \"other\"}", "\u{0}\u{0}", "}"]
    )
    func trailingBytes(_ tail: String) throws {
        #expect(try decoded(json: "\n\t " + Fixture.text("manifests/full-v24.json") + tail) == SampleManifest.full())
    }

    @Test("Braces and quotes inside strings do not end the object")
    func bracesInStrings() throws {
        #expect(try decoded(json: "{\"Shard\": \"}]{[\\\"}\\\\\"}").shard == "}]{[\"}\\")
    }

    @Test("Sizes of an unknown format are ignored")
    func unknownExtensions() throws {
        let text = try Fixture.text("manifests/full-extensions.json").replacing("\"Format\": 1", with: "\"Format\": 2")
        #expect(try decoded(json: text).builtin?.files.map(\.sizes) == [nil, nil])
    }

    @Test("An entry without a name keeps its index, whatever else is in it")
    func skippedEntry() throws {
        let text =
            "{\"FileEntries\": [{\"Base\": \"\", \"Name\": \"\", \"Hash\": \"\"}, {\"Base\": \"Data\", \"Name\": \"a\", \"Hash\": \"00000001\"}]}"
        let files = try decoded(json: text).builtin?.files
        #expect(files == [FileEntry(base: .data, name: "", hash: 0), FileEntry(base: .data, name: "a", hash: 1)])
    }

    @Test("Positions of every flavor")
    func flavors() throws {
        let text =
            "{\"Position\": \"MariaDB/0-1-2\", \"PurgedPosition\": \"FilePos/b.000001:4\", \"FromPosition\": \"\"}"
        let manifest = try decoded(json: text)
        #expect(try manifest.position == .mariaDB(MariaDBPosition("0-1-2")))
        #expect(try manifest.purgedPosition == .filePosition(FilePosition("b.000001:4")))
        #expect(manifest.fromPosition == nil)
    }
}
