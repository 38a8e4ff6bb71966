import Testing

@testable import Catalog
@testable import Vocabulary

/// A manifest comes from storage: whatever is in it, the answer is an error that names the key, and nothing worse.
@Suite("Manifests that lie")
struct HostileManifestTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var json: String
        var message: String
        var testDescription: String { json }

        init(_ json: String, _ message: String) {
            (self.json, self.message) = (json, message)
        }

        /// One file entry with these fields.
        init(entry: String, _ message: String) {
            self.init("{\"FileEntries\": [{\(entry)}]}", "MANIFEST FileEntries[0]" + message)
        }
    }

    private func expectRefusal(_ sample: Case) {
        #expect(throws: CatalogError(sample.message)) { try Manifest(decoding: Array(sample.json.utf8)) }
    }

    @Test(
        "Not a whole JSON object",
        arguments: [
            Case("", "MANIFEST is not a complete JSON object (0 bytes)"),
            Case(" \n", "MANIFEST is not a complete JSON object (2 bytes)"),
            Case("null", "MANIFEST is not a complete JSON object (4 bytes)"),
            Case("[]", "MANIFEST is not a complete JSON object (2 bytes)"),
            Case("\"{}\"", "MANIFEST is not a complete JSON object (4 bytes)"),
            Case("{", "MANIFEST is not a complete JSON object (1 bytes)"),
            Case("{\"a\": \"}", "MANIFEST is not a complete JSON object (8 bytes)"),
            Case("{]", "MANIFEST is not valid JSON (2 bytes)"),
            Case("{\"a\" 1}", "MANIFEST is not valid JSON (7 bytes)"),
            Case("{'a': 1}", "MANIFEST is not valid JSON (8 bytes)"),
            Case("{\"a\": tru}", "MANIFEST is not valid JSON (10 bytes)"),
            Case("{\"a\": \"\\q\"}", "MANIFEST is not valid JSON (11 bytes)"),
        ]
    )
    func notAnObject(_ sample: Case) {
        expectRefusal(sample)
    }

    @Test("No cut of a good manifest is a good manifest")
    func everyCut() throws {
        let bytes = try Fixture.bytes("manifests/full-extensions.json")
        for length in 0..<bytes.count {
            #expect(throws: CatalogError.self, "\(length) bytes") {
                try Manifest(decoding: Array(bytes.prefix(length)))
            }
        }
    }

    @Test("Bytes that are not UTF-8")
    func notUTF8() {
        #expect(throws: CatalogError.self) {
            try Manifest(decoding: Array("{\"a\": \"".utf8) + [0xff, 0xfe] + Array("\"}".utf8))
        }
    }

    @Test("Deep nesting does not recurse at will", arguments: [("[", "]"), ("{\"a\":", "}")])
    func deepNesting(_ open: String, _ close: String) {
        func nested(_ depth: Int) -> String {
            let inner = String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
            return "{\"x\": " + inner + "}"
        }
        #expect(throws: Never.self) { try Manifest(decoding: Array(nested(60).utf8)) }
        for depth in [64, 100_000] {
            let text = nested(depth)
            expectRefusal(Case(text, "MANIFEST is not a complete JSON object (\(text.utf8.count) bytes)"))
        }
    }

    @Test(
        "Wrong types",
        arguments: [
            Case("{\"BackupName\": 1}", "MANIFEST key BackupName is not a string"),
            Case("{\"backupname\": {}}", "MANIFEST key BackupName is not a string"),
            Case("{\"Incremental\": \"true\"}", "MANIFEST key Incremental is not true or false"),
            Case("{\"UpgradeSafe\": 1}", "MANIFEST key UpgradeSafe is not true or false"),
            Case("{\"SkipCompress\": []}", "MANIFEST key SkipCompress is not true or false"),
            Case("{\"Hostname\": false}", "MANIFEST key Hostname is not a string"),
            Case("{\"IncrementalDetails\": \"\"}", "MANIFEST key IncrementalDetails is not a JSON object"),
            Case(
                "{\"IncrementalDetails\": {\"FirstTimestamp\": 5}}",
                "MANIFEST key IncrementalDetails key FirstTimestamp is not a string"
            ),
            Case("{\"FileEntries\": {}}", "MANIFEST key FileEntries is not a list"),
            Case("{\"FileEntries\": [null]}", "MANIFEST FileEntries[0] is not a JSON object"),
            Case("{\"FileEntries\": [1]}", "MANIFEST FileEntries[0] is not a JSON object"),
            Case(entry: "\"Name\": 1, \"Base\": \"Data\"", " key Name is not a string"),
            Case(entry: "\"Name\": \"a\", \"Base\": true", " key Base is not a string"),
            Case(entry: "\"Name\": \"a\", \"Base\": \"Data\", \"Hash\": 12345678", " key Hash is not a string"),
            Case(entry: "\"Name\": \"a\", \"Base\": \"Data\", \"Chunks\": {}", " key Chunks is not a list"),
        ]
    )
    func wrongTypes(_ sample: Case) {
        expectRefusal(sample)
    }

    @Test(
        "Positions",
        arguments: [
            Case("{\"Position\": \"x\"}", "MANIFEST key Position: parse error: unknown GTIDSet flavor \"\""),
            Case(
                "{\"PurgedPosition\": \"Foo/x\"}",
                "MANIFEST key PurgedPosition: parse error: unknown GTIDSet flavor \"Foo\""
            ),
            Case(
                "{\"FromPosition\": \"MySQL56/x\"}",
                "MANIFEST key FromPosition: invalid MySQL 5.6 GTID set (\"x\"): expected uuid:interval"
            ),
        ]
    )
    func values(_ sample: Case) {
        expectRefusal(sample)
    }

    @Test(
        "Sizes",
        arguments: [
            Case(sizes: "", "MANIFEST Extensions.Files has 0 elements for 1 files"),
            Case(sizes: "{}, {}", "MANIFEST Extensions.Files has 2 elements for 1 files"),
            Case(sizes: "3", "MANIFEST Extensions.Files[0] is not a JSON object"),
            Case(sizes: "{\"Size\": -1}", "MANIFEST Extensions.Files[0] has an impossible size"),
            Case(sizes: "{\"StoredSize\": -1}", "MANIFEST Extensions.Files[0] has an impossible size"),
            Case(sizes: "{\"Size\": 1125899906842625}", "MANIFEST Extensions.Files[0] has an impossible size"),
            Case(sizes: "{\"Size\": 1.5}", "MANIFEST Extensions.Files[0] key Size is not a whole number"),
            Case(
                sizes: "{\"Size\": 9223372036854775808}",
                "MANIFEST Extensions.Files[0] key Size is not a whole number"
            ),
            Case(sizes: "{\"Size\": \"5\"}", "MANIFEST Extensions.Files[0] key Size is not a whole number"),
        ]
    )
    func sizes(_ sample: Case) {
        expectRefusal(sample)
    }

    @Test("Possible sizes with an impossible sum do not trap")
    func sumOfSizes() {
        let count = 8_193
        let entries = (0..<count).map { "{\"Base\": \"Data\", \"Name\": \"\($0)\", \"Hash\": \"00000000\"}" }
        let sizes = [String](repeating: "{\"Size\": 1125899906842624, \"StoredSize\": 1}", count: count)
        let json =
            "{\"FileEntries\": [\(entries.joined(separator: ","))], "
            + "\"Extensions\": {\"Format\": 1, \"Files\": [\(sizes.joined(separator: ","))]}}"
        #expect(throws: CatalogError.self) { try Manifest(decoding: Array(json.utf8)) }
    }
}

extension HostileManifestTests.Case {
    /// One good file entry, and this list of sizes.
    fileprivate init(sizes: String, _ message: String) {
        self.init(
            "{\"FileEntries\": [{\"Base\": \"Data\", \"Name\": \"a\", \"Hash\": \"00000000\"}], "
                + "\"Extensions\": {\"Format\": 1, \"Files\": [\(sizes)]}}",
            message
        )
    }
}
