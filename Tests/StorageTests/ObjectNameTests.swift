import Storage
import Testing

@Suite("Object names")
struct ObjectNameTests {
    @Test(
        "letters, digits, dot, dash and underscore make a name",
        arguments: [
            "0", "17", "MANIFEST", "backup.xbstream.gz-007", "1-0", "a_b", "-", "_", "x.",
            String(repeating: "a", count: 255),
        ]
    )
    func good(name: String) throws {
        #expect(try ObjectName(name).description == name)
    }

    @Test(
        "everything else does not",
        arguments: [
            "", ".", "..", ".hidden", "../x", "a/b", "/", "a b", "a\0", "a\n", "ä", "a\u{301}", "a:b", "a\\b", "%2e",
            String(repeating: "a", count: 256),
        ]
    )
    func bad(name: String) {
        #expect(#expect(throws: StorageError.self) { try ObjectName(name) }?.code == .invalidName)
    }

    @Test("files are named by their index")
    func index() {
        #expect(ObjectName.file(0).description == "0")
        #expect(ObjectName.file(12_345).description == "12345")
        #expect(ObjectName.manifest.description == "MANIFEST")
    }
}
