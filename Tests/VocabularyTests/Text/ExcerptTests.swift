import Testing

@testable import Vocabulary

@Suite("Excerpts of untrusted text")
struct ExcerptTests {
    @Test("Short text stays as it is")
    func short() {
        #expect(PrintableText.excerpt("vt_commerce/é漢.ibd") == "vt_commerce/é漢.ibd")
        #expect(PrintableText.excerpt(String(repeating: "x", count: 120)) == String(repeating: "x", count: 120))
    }

    @Test("Long text is cut")
    func long() {
        #expect(PrintableText.excerpt(String(repeating: "x", count: 121)) == String(repeating: "x", count: 120) + "…")
    }

    @Test("Control characters cannot forge a log line or move a cursor")
    func control() {
        #expect(PrintableText.excerpt("a\nE1121 b\u{1b}[2J\u{7f}\r\n") == "a\\u{a}E1121 b\\u{1b}[2J\\u{7f}\\u{d}\\u{a}")
    }
}
