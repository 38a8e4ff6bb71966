import Testing

@testable import Processes

@Suite("external commands, split like a shell")
struct ExternalCommandTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var text: String
        var words: [String]
        var testDescription: String { text }

        init(_ text: String, _ words: [String]) {
            (self.text, self.words) = (text, words)
        }
    }

    @Test(
        "words",
        arguments: [
            Case("zstd -1", ["zstd", "-1"]), Case("  zstd \t -1\n", ["zstd", "-1"]),
            Case(#"prog 'a b' "c d""#, ["prog", "a b", "c d"]), Case(#"prog a'b c'd"#, ["prog", "ab cd"]),
            Case(#"prog a\ b \'"#, ["prog", "a b", "'"]), Case(#"prog "a\"b\\c""#, ["prog", #"a"b\c"#]),
            Case(#"prog "a\nb""#, ["prog", #"a\nb"#]), Case(#"prog 'a\b'"#, ["prog", #"a\b"#]),
            Case(#"prog '' """#, ["prog", "", ""]), Case("prog -x # comment 'open", ["prog", "-x"]),
            Case("# all\nprog a#b", ["prog", "a#b"]), Case("prog $HOME `id` ~ *", ["prog", "$HOME", "`id`", "~", "*"]),
        ]
    )
    func words(_ test: Case) throws {
        #expect(try ExternalCommand(test.text).words == test.words)
    }

    @Test(
        "what is no command is refused with its text",
        arguments: ["", "  ", "# nothing", "prog 'open", "prog \"open", "prog \\"]
    )
    func refused(text: String) {
        let error = #expect(throws: ProcessError.self) { try ExternalCommand(text) }
        #expect(error?.code == .malformed)
        #expect(error?.message.contains("\"\(text)\"") == true)
    }
}
