import Testing

@testable import Vocabulary

@Suite("Key ranges")
struct KeyRangeTests {
    @Test("Both sides, either open", arguments: ["-", "-80", "80-", "40-80", "c0ff-c100", "00-01", "80-8000"])
    func canonical(_ text: String) throws {
        #expect(try KeyRange(text).description == text)
    }

    @Test("Bytes of both sides; upper case becomes lower case")
    func bytes() throws {
        let range = try KeyRange("0aB0-C0")
        #expect(range.start == [0x0a, 0xb0])
        #expect(range.end == [0xc0])
        #expect(range.description == "0ab0-c0")
        #expect(try KeyRange("-").start.isEmpty)
    }

    struct Case: CustomTestStringConvertible, Sendable {
        var text: String
        var message: String
        var testDescription: String { "\"\(text)\"" }

        init(_ text: String, _ message: String) {
            (self.text, self.message) = (text, message)
        }
    }

    @Test(
        "Errors",
        arguments: [
            Case("", "invalid shardId, can only contain one '-': "),
            Case("80", "invalid shardId, can only contain one '-': 80"),
            Case("40-80-c0", "invalid shardId, can only contain one '-': 40-80-c0"),
            Case("80-40", "out of order keys: 80 is not strictly smaller than 40"),
            Case("80-80", "out of order keys: 80 is not strictly smaller than 80"),
            Case("8000-80", "out of order keys: 8000 is not strictly smaller than 80"),
            Case("8-c0", "invalid shard id 8-c0: 8 is not an even number of hexadecimal digits"),
            Case("40-8g", "invalid shard id 40-8g: 8g is not an even number of hexadecimal digits"),
            Case("４0-80", "invalid shard id ４0-80: ４0 is not an even number of hexadecimal digits"),
        ]
    )
    func errors(_ sample: Case) {
        #expect(throws: VocabularyError(sample.message)) { try KeyRange(sample.text) }
    }
}
