import Testing

@testable import Vocabulary

@Suite("Tablet aliases")
struct TabletAliasTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var text: String
        var cell: String
        var uid: UInt32
        var testDescription: String { text }

        init(_ text: String, _ cell: String, _ uid: UInt32) {
            (self.text, self.cell, self.uid) = (text, cell, uid)
        }
    }

    @Test(
        "The last dash separates, any zero padding is accepted",
        arguments: [
            Case("zone1-0000000100", "zone1", 100),
            Case("zone1-100", "zone1", 100),
            Case("us-east-1-100", "us-east-1", 100),
            Case("us.east_1-0", "us.east_1", 0),
            Case("vtbackup-3049127412", "vtbackup", 3_049_127_412),
            Case("a-4294967295", "a", .max),
            Case("a-000000000000000000000000000001", "a", 1),
            Case("--5", "-", 5),
        ]
    )
    func parses(_ sample: Case) throws {
        let alias = try TabletAlias(sample.text)
        #expect(alias == TabletAlias(cell: sample.cell, uid: sample.uid))
        #expect(try TabletAlias(alias.description) == alias)
    }

    @Test("The uid is printed with at least ten digits")
    func prints() {
        #expect(TabletAlias(cell: "zone1", uid: 100).description == "zone1-0000000100")
        #expect(TabletAlias(cell: "a", uid: .max).description == "a-4294967295")
        #expect(TabletAlias(cell: "a", uid: 0).paddedUID == "0000000000")
    }

    @Test(
        "Other forms are refused",
        arguments: [
            "", "-", "zone1", "zone1-", "-100", "zone1-1a", "zone1-+1", "zone1- 1", "zone 1-1", "zöne-1", "zone/1-1",
            "a-١",
            "a-1\n",
        ]
    )
    func refuses(_ text: String) {
        let shown = text.replacing("\n", with: "\\u{a}")
        let message =
            "invalid tablet alias: '\(shown)', expecting format: '^(?P<cell>[-_.a-zA-Z0-9]+)-(?P<uid>[0-9]+)$'"
        #expect(throws: VocabularyError(message)) { try TabletAlias(text) }
    }

    @Test("A uid has 32 bits")
    func uidTooLarge() {
        let message =
            "invalid tablet uid in alias 'a-4294967296': bad tablet uid: strconv.ParseUint: parsing \"4294967296\": value out of range"
        #expect(throws: VocabularyError(message)) { try TabletAlias("a-4294967296") }
    }

    @Test("Order: cell by bytes, then uid by number")
    func order() throws {
        let ordered = try ["Zone-5", "a-10", "zone-9", "zone-10", "zone-b-1", "zone1-1"].map { try TabletAlias($0) }
        #expect(ordered.reversed().sorted() == ordered)
    }
}
