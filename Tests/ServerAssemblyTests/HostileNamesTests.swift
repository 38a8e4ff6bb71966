import Catalog
import FoundationEssentials
import SystemPackage
import Testing
import Vocabulary

@testable import Observability
@testable import ServerAssembly

/// Names that come from storage, on their way to a terminal, a log and JSON.
@Suite("names from storage in what we print")
struct HostileNamesTests {
    private static let name =
        "2026-11-21.120000.x\u{1b}[2J\nE1121 12:00:00.000000       1 x.go:1] all is well\u{202e}\u{9b}"

    private func hasControls(_ text: some StringProtocol) -> Bool {
        text.unicodeScalars.contains { $0 != "\n" && !PrintableText.isShown($0) }
    }

    @Test("excerpts in messages go by the same rule as everything that is printed")
    func sameRule() {
        for value in UInt32(0)...0x10_ffff {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let text = String(scalar)
            let isSame = PrintableText.excerpt(text) == PrintableText.line(text)
            if !isSame { Issue.record("U+\(String(value, radix: 16)) is shown in two ways") }
        }
    }

    @Test("a listing has one line for a backup, whatever its name says, and JSON the name itself")
    func listing() throws {
        let listing = BackupListing(
            shard: try ShardPath(keyspace: "commerce", shard: "-80"),
            backups: [
                ListedBackup(name: Self.name, state: .foreign),
                ListedBackup(name: Self.name, state: .incomplete("MANIFEST says \(Self.name)")),
            ]
        )
        let lines = listing.table.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(!hasControls(listing.table))
        let json = try listing.json()
        #expect(!hasControls(json))
        struct Document: Decodable {
            struct Backup: Decodable { var name: String }
            var backups: [Backup]
        }
        let decoded = try JSONDecoder().decode(Document.self, from: Data(json.utf8))
        #expect(decoded.backups.map(\.name) == [Self.name, Self.name])
    }

    @Test("a log line and an error begin no other line and move no cursor")
    func log() {
        struct Failure: Error, CustomStringConvertible { let description: String }
        let texts = [
            GlogLine.text(.error, "removing \(Self.name)", file: "x.swift", line: 1, at: .now),
            ErrorText.line(Failure(description: "backup \(Self.name) is unreadable")),
        ]
        for text in texts {
            #expect(!hasControls(text))
            #expect(text.split(separator: "\n").dropFirst().allSatisfy { $0.hasPrefix("    ") })
        }
    }
}
