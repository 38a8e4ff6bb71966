import Testing
import Vocabulary

/// Text from anywhere, on a terminal and in a log.
@Suite("text that others have written")
struct PrintableTextTests {
    @Test("what is shown as itself stays", arguments: ["", "vt_commerce/é漢.ibd", "a b\u{301} 🙂", "\\u{1b}"])
    func shown(_ text: String) {
        #expect(PrintableText.line(text) == text)
        #expect(PrintableText.block(text) == text)
        #expect(PrintableText.json(text) == text)
    }

    @Test(
        "controls, line ends, directions and what nobody sees become escapes",
        arguments: [
            ("\u{1b}[2Ja\u{7}", "\\u{1b}[2Ja\\u{7}"), ("a\nE1130 b\r", "a\\u{a}E1130 b\\u{d}"), ("a\tb", "a\\u{9}b"),
            ("\u{9b}31m", "\\u{9b}31m"), ("a\u{202e}b\u{2066}", "a\\u{202e}b\\u{2066}"),
            ("\u{200b}\u{feff}", "\\u{200b}\\u{feff}"),
            ("a\u{2028}b", "a\\u{2028}b"), ("\u{e0041}\u{ad}", "\\u{e0041}\\u{ad}"),
        ]
    )
    func escaped(_ text: String, _ line: String) {
        #expect(PrintableText.line(text) == line)
    }

    @Test("what follows a line's end in a longer text cannot be taken for a line of its own")
    func block() {
        #expect(PrintableText.block("a\nE1130 b\u{1b}\tc\n\nd\n") == "a\n    E1130 b\\u{1b}\tc\n    \n    d\n")
        #expect(PrintableText.block("a\r\nb") == "a\\u{d}\n    b")
    }

    @Test("JSON has JSON's escapes, and stays the same document")
    func json() {
        #expect(
            PrintableText.json("{\n \"a\": \"\u{7f}\u{202e}é\u{e0041}\"\n}")
                == "{\n \"a\": \"\\u007f\\u202eé\\udb40\\udc41\"\n}"
        )
    }
}
