import FoundationEssentials
import Testing

@testable import Vocabulary

@Suite("Backup names")
struct BackupNameTests {
    @Test("Time and alias, and back")
    func roundTrip() throws {
        let name = try BackupName("2026-03-27.101500.zone1-0000000102")
        #expect(name.time == Date(timeIntervalSince1970: 1_774_606_500))
        #expect(name.alias == TabletAlias(cell: "zone1", uid: 102))
        #expect(name.description == "2026-03-27.101500.zone1-0000000102")
        #expect(try BackupName(time: name.time, alias: name.alias) == name)
    }

    @Test("Fractions of a second are dropped, towards the past")
    func fractions() throws {
        let alias = TabletAlias(cell: "vtbackup", uid: 7)
        let name = try BackupName(time: Date(timeIntervalSince1970: 1_774_606_500.999), alias: alias)
        #expect(name.description == "2026-03-27.101500.vtbackup-0000000007")
        #expect(name.time == Date(timeIntervalSince1970: 1_774_606_500))
        let early = try BackupName(time: Date(timeIntervalSince1970: -0.5), alias: alias)
        #expect(early.description == "1969-12-31.235959.vtbackup-0000000007")
    }

    @Test("A cell with a dot gives no name that could be read again")
    func cellWithDot() {
        let message = "cell \"us.east\" has a dot, which backup names cannot carry; use a cell name without dots"
        #expect(throws: VocabularyError(message)) {
            try BackupName(time: Date(timeIntervalSince1970: 0), alias: TabletAlias(cell: "us.east", uid: 1))
        }
    }

    @Test(
        "Three parts",
        arguments: ["", "MANIFEST", "2026-03-27.101500", "2026-03-27.101500.us.east-0000000102", ".vtbackup-lease"]
    )
    func parts(_ text: String) {
        let message = "backup name not in expected format (date.time.tablet-alias): \(text)"
        #expect(throws: VocabularyError(message)) { try BackupName(text) }
    }

    @Test(
        "A time that exists",
        arguments: [
            "2026-02-30.101500.zone1-1", "2026-13-01.101500.zone1-1", "2026-03-27.240000.zone1-1",
            "2026-03-27.1015.zone1-1",
            "2026-3-27.101500.zone1-1", "..zone1-1", "2026-03-27.10150٠.zone1-1",
        ]
    )
    func time(_ text: String) {
        let message = "can't parse timestamp from backup \"\(text)\": expected yyyy-MM-dd.HHmmss"
        #expect(throws: VocabularyError(message)) { try BackupName(text) }
    }

    @Test(
        "An alias",
        arguments: ["2026-03-27.101500.zone1", "2026-03-27.101500.", "2026-03-27.101500.zone1-4294967296"]
    )
    func alias(_ text: String) throws {
        let error = try #require(throws: VocabularyError.self) { try BackupName(text) }
        #expect(error.message.hasPrefix("invalid tablet "))
    }
}
