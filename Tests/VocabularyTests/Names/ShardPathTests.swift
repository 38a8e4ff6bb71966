import Testing

@testable import Vocabulary

@Suite("Shard paths")
struct ShardPathTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var text: String
        var expected: String
        var testDescription: String { "\"\(text)\"" }

        init(_ text: String, _ expected: String) {
            (self.text, self.expected) = (text, expected)
        }
    }

    @Test(
        "A slash separates, else a colon",
        arguments: [
            Case("commerce/-80", "commerce/-80"), Case("commerce:0", "commerce/0"), Case("ks_1/80-C0", "ks_1/80-C0"),
            Case("ks/-", "ks/-"),
        ]
    )
    func parses(_ sample: Case) throws {
        let path = try ShardPath(sample.text)
        #expect(path.description == sample.expected)
        #expect(try ShardPath(keyspace: path.keyspace, shard: path.shard) == path)
    }

    @Test(
        "Errors",
        arguments: [
            Case("commerce", "invalid shard path: commerce"),
            Case("", "invalid shard path: "),
            Case("a/b/c", "invalid shard path: a/b/c"),
            Case("a:b:c", "invalid shard path: a:b:c"),
            Case("/0", "empty name"),
            Case("commerce/", "empty name"),
            Case("a:b/0", "invalid character : in name a:b"),
            Case("../0", "invalid character . in name .."),
            Case("a b/0", "invalid character   in name a b"),
            Case("ks/é", "invalid character é in name é"),
            Case("ks/0\u{301}", "invalid character 0\u{301} in name 0\u{301}"),
            Case("ks/1\n", "invalid character \\u{a} in name 1\\u{a}"),
        ]
    )
    func errors(_ sample: Case) {
        #expect(throws: VocabularyError(sample.expected)) { try ShardPath(sample.text) }
    }

    @Test("Names have at most 64 bytes")
    func length() throws {
        let name = String(repeating: "k", count: 64)
        #expect(try ShardPath(keyspace: name, shard: name).keyspace == name)
        #expect(throws: VocabularyError("name \(name)k is too long")) {
            try ShardPath(keyspace: name + "k", shard: "0")
        }
        #expect(throws: VocabularyError("name \(name)k is too long")) {
            try ShardPath(keyspace: "k", shard: name + "k")
        }
    }

    @Test("A name with a dash is a key range, one without has none")
    func keyRange() throws {
        #expect(try ShardPath("ks/0").keyRange() == nil)
        #expect(try ShardPath("ks/80-C0").keyRange()?.description == "80-c0")
        #expect(try ShardPath("ks/-").keyRange()?.description == "-")
        #expect(throws: VocabularyError.self) { try ShardPath("ks/a-b-c").keyRange() }
    }
}
