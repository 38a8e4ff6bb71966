import Testing

@testable import MySQLWire

@Suite("Values and names as SQL text")
struct SQLTextTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var value: String
        var text: String
        var testDescription: String { text }
    }

    @Test(
        "values are quoted",
        arguments: [
            Case(value: "", text: "''"),
            Case(value: "plain", text: "'plain'"),
            Case(value: "it's", text: "'it''s'"),
            Case(value: "''", text: "''''''"),
            Case(value: "back\\slash", text: "'back\\\\slash'"),
            Case(value: "\\'", text: "'\\\\'''"),
            Case(value: "' OR 1=1 -- ", text: "''' OR 1=1 -- '"),
            Case(value: "a\0b", text: "'a\\0b'"),
            Case(value: "two\nlines\r\n", text: "'two\\nlines\\r\\n'"),
            Case(value: "\u{1a}", text: "'\\Z'"),
            Case(value: "\"`%_;", text: "'\"`%_;'"),
            Case(value: "pässwörd 密码", text: "'pässwörd 密码'"),
            // A quote with a combining mark behind it is one character, and still a quote to the server.
            Case(value: "'\u{301}", text: "'''\u{301}'"),
            Case(value: "\\\u{301}", text: "'\\\\\u{301}'"),
        ]
    )
    func literal(_ test: Case) {
        #expect(Array(SQLText.literal(test.value).unicodeScalars) == Array(test.text.unicodeScalars))
    }

    @Test(
        "names are quoted",
        arguments: [
            Case(value: "vt_commerce", text: "`vt_commerce`"),
            Case(value: "with space", text: "`with space`"),
            Case(value: "a`b", text: "`a``b`"),
            Case(value: "`; DROP TABLE x; -- ", text: "```; DROP TABLE x; -- `"),
            Case(value: "quote's \\", text: "`quote's \\`"),
            Case(value: "a`\u{301}b", text: "`a``\u{301}b`"),
        ]
    )
    func name(_ test: Case) {
        #expect(Array(SQLText.name(test.value).unicodeScalars) == Array(test.text.unicodeScalars))
    }
}
