import Testing

@testable import Catalog
@testable import Vocabulary

@Suite("File entries that lie")
struct HostileFileEntryTests {
    private func refusal(_ entries: String) throws -> String {
        let json = "{\"FileEntries\": [\(entries)]}"
        return try #require(throws: CatalogError.self) { try Manifest(decoding: Array(json.utf8)) }.message
    }

    private func quoted(_ text: String) -> String {
        "\"" + text.replacing("\u{0}", with: "\\u0000").replacing("\n", with: "\\n") + "\""
    }

    @Test(
        "Paths that leave their directory",
        arguments: [
            "../x", "/etc/passwd", "a/../../x", "a/..", "..", ".", "./a", "a//b", "a/", "/", "a/./b", "a\u{0}b",
        ]
    )
    func paths(_ name: String) throws {
        let message = try refusal("{\"Base\": \"Data\", \"Name\": \(quoted(name)), \"Hash\": \"00000000\"}")
        #expect(
            message
                == "MANIFEST FileEntries[0]: cannot evaluate full name for \(PrintableText.excerpt(name)): invalid joined path"
        )
        #expect(!FileEntry.isSafe(name: name))
    }

    @Test("Paths that no file system takes")
    func longPaths() throws {
        let component = String(repeating: "x", count: 255)
        #expect(FileEntry.isSafe(name: component))
        #expect(!FileEntry.isSafe(name: component + "x"))
        let deep = [String](repeating: component, count: 16).joined(separator: "/")
        #expect(FileEntry.isSafe(name: deep))
        #expect(!FileEntry.isSafe(name: deep + "/x"))
        #expect(try refusal("{\"Base\": \"Data\", \"Name\": \"\(deep)/x\", \"Hash\": \"00000000\"}").utf8.count < 300)
    }

    @Test(
        "Names that only look odd stay below their directory",
        arguments: [
            "...", "a/..b", "#innodb_redo/#ib_redo0", "vt_commerce/a@0020b.ibd", "\\..\\x", "~", "-rf", "é漢", "a\nb",
        ]
    )
    func harmless(_ name: String) throws {
        #expect(FileEntry.isSafe(name: name))
        let json =
            "{\"FileEntries\": [{\"Base\": \"Data\", \"Name\": \(quoted(name.replacing("\\", with: "\\\\"))), \"Hash\": \"00000000\"}]}"
        #expect(try Manifest(decoding: Array(json.utf8)).builtin?.files.map(\.name) == [name])
    }

    @Test(
        "Bases",
        arguments: ["", "data", "DATA", "Backup", "InnoDBData ", "../Data"]
    )
    func bases(_ base: String) throws {
        let message = try refusal("{\"Base\": \"\(base)\", \"Name\": \"a\", \"Hash\": \"00000000\"}")
        #expect(message == "MANIFEST FileEntries[0]: unknown base: \(base)")
    }

    @Test(
        "Hashes",
        arguments: [
            "", "0", "0000000", "000000000", "0000000g", "+0000000", "-0000000", "0x000000", " 0000000", "０００００００0",
        ]
    )
    func hashes(_ hash: String) throws {
        let message = try refusal("{\"Base\": \"Data\", \"Name\": \"a\", \"Hash\": \"\(hash)\"}")
        #expect(message == "MANIFEST FileEntries[0] key Hash is not eight hexadecimal digits: \"\(hash)\"")
    }

    @Test("Two objects for one file")
    func duplicates() throws {
        let entry = "{\"Base\": \"Data\", \"Name\": \"a/b\", \"Hash\": \"00000000\"}"
        let elsewhere = "{\"Base\": \"InnoDBData\", \"Name\": \"a/b\", \"Hash\": \"00000000\"}"
        #expect(try refusal("\(entry), \(elsewhere), \(entry)") == "MANIFEST FileEntries[2] repeats Data a/b")
        #expect(throws: Never.self) {
            try Manifest(decoding: Array("{\"FileEntries\": [\(entry), \(elsewhere)]}".utf8))
        }
    }

    // MARK: Chunks

    struct Chunks: CustomTestStringConvertible, Sendable {
        var testDescription: String
        /// Storage name, offset, size.
        var list: [(String, Int64, Int64)]
        var message: String
    }

    private func chunk(_ name: String, _ offset: Int64, _ size: Int64) -> String {
        "{\"StorageName\": \"\(name)\", \"Offset\": \(offset), \"Size\": \(size), \"Hash\": \"00000000\"}"
    }

    private func entry(_ chunks: [(String, Int64, Int64)]) -> String {
        let list = chunks.map { chunk($0.0, $0.1, $0.2) }.joined(separator: ", ")
        return "{\"Base\": \"Data\", \"Name\": \"big.ibd\", \"Hash\": \"\", \"Chunks\": [\(list)]}"
    }

    @Test(
        "Chunks that do not make up the file",
        arguments: [
            Chunks(
                testDescription: "gap",
                list: [("0-0", 0, 4), ("0-1", 5, 4)],
                message: "chunk 0-1 does not continue the file at byte 4"
            ),
            Chunks(
                testDescription: "overlap",
                list: [("0-0", 0, 4), ("0-1", 3, 4)],
                message: "chunk 0-1 does not continue the file at byte 4"
            ),
            Chunks(
                testDescription: "start",
                list: [("0-0", 1, 4)],
                message: "chunk 0-0 does not continue the file at byte 0"
            ),
            Chunks(
                testDescription: "negative offset",
                list: [("0-0", -4, 4)],
                message: "chunk 0-0 does not continue the file at byte 0"
            ),
            Chunks(
                testDescription: "empty",
                list: [("0-0", 0, 0)],
                message: "chunk 0-0 does not continue the file at byte 0"
            ),
            Chunks(
                testDescription: "negative size",
                list: [("0-0", 0, -1)],
                message: "chunk 0-0 does not continue the file at byte 0"
            ),
            Chunks(
                testDescription: "twice",
                list: [("0-0", 0, 4), ("0-0", 0, 4)],
                message: "chunk 0-0 does not continue the file at byte 4"
            ),
            Chunks(
                testDescription: "other file",
                list: [("1-0", 0, 4)],
                message: "chunk 1-0 does not continue the file at byte 0"
            ),
            Chunks(
                testDescription: "other number",
                list: [("0-1", 0, 4)],
                message: "chunk 0-1 does not continue the file at byte 0"
            ),
            Chunks(
                testDescription: "padded",
                list: [("0-00", 0, 4)],
                message: "chunk 0-00 does not continue the file at byte 0"
            ),
            Chunks(
                testDescription: "path",
                list: [("../0-0", 0, 4)],
                message: "chunk ../0-0 does not continue the file at byte 0"
            ),
            Chunks(
                testDescription: "huge",
                list: [("0-0", 0, 1 << 50)],
                message: "chunk 0-0 does not continue the file at byte 0"
            ),
        ]
    )
    func chunks(_ sample: Chunks) throws {
        #expect(try refusal(entry(sample.list)) == "MANIFEST FileEntries[0]: \(sample.message)")
    }

    @Test("Chunks of possible sizes with an impossible sum do not trap")
    func sumOfChunks() throws {
        let size: Int64 = (1 << 50) - 1
        let list = (0...8_192).map { ("0-\($0)", Int64($0) * size, size) }
        #expect(try refusal(entry(list)).hasPrefix("MANIFEST FileEntries[0]: chunk 0-"))
    }

    @Test("A chunk has a hash of its own")
    func chunkHash() throws {
        let bad = "{\"StorageName\": \"0-0\", \"Offset\": 0, \"Size\": 4, \"Hash\": \"\"}"
        let message = try refusal("{\"Base\": \"Data\", \"Name\": \"big.ibd\", \"Chunks\": [\(bad)]}")
        #expect(message == "MANIFEST FileEntries[0].Chunks[0] key Hash is not eight hexadecimal digits: \"\"")
    }
}
