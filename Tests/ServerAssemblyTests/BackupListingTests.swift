import Catalog
import FoundationEssentials
import Testing
import Vocabulary
import Workflows

@testable import ServerAssembly

/// What the listing says of a backup besides its MANIFEST.
@Suite("listing of backups")
struct BackupListingTests {
    private static let name = "2026-11-21.120000.zone1-0000000101"

    private func listing(
        _ position: String,
        catchUpFailure: CatchUpRecord? = nil
    ) throws -> (json: String, table: String) {
        let empty = String(decoding: Manifest().encoded(), as: UTF8.self)
        let text = empty.replacing(/"Position": ?"[^"]*"/, with: "\"Position\":\"\(position)\"")
        let manifest = try Manifest(decoding: Array(text.utf8))
        var backup = ListedBackup(name: Self.name, state: .complete(manifest))
        backup.catchUpFailure = catchUpFailure.map { .record($0) } ?? .nothing
        let listing = BackupListing(shard: try ShardPath("commerce/0"), backups: [backup])
        try #require(listing.table.contains(position))
        return (try listing.json(), listing.table)
    }

    @Test("a position with tags is marked: Vitess cannot read it")
    func tags() throws {
        let uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
        let tagged = try listing("MySQL56/\(uuid):1-5:red:1-3")
        #expect(tagged.json.contains(#""hasTaggedGtids" : true"#))
        #expect(tagged.table.contains("tagged GTIDs, not for Vitess"))
        let plain = try listing("MySQL56/\(uuid):1-5")
        #expect(!plain.json.contains("hasTaggedGtids"))
        #expect(!plain.table.contains("tagged"))
    }

    @Test("a backup from which a pass could not go on says since when and why")
    func catchUpFailure() throws {
        let failure = CatchUpRecord(
            since: Date(timeIntervalSince1970: 1_700_000_000),
            last: Date(timeIntervalSince1970: 1_700_003_600),
            reason: "errno 1032"
        )
        let found = try listing("MySQL56/3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5", catchUpFailure: failure)
        #expect(found.json.contains(#""notCaughtUpSince" : "2023-11-14T22:13:20Z""#))
        #expect(found.json.contains(#""notCaughtUpReason" : "errno 1032""#))
        #expect(found.table.contains("not caught up since 2023-11-14T22:13:20Z"))
    }
}
