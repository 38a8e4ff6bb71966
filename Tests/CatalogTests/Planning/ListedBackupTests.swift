import FoundationEssentials
import Testing

@testable import Catalog
@testable import Vocabulary

@Suite("Listed backups")
struct ListedBackupTests {
    @Test("A listing keeps the sums of the file entries, not the entries")
    func sums() throws {
        let listed = ListedBackup(name: "x", state: .complete(try SampleManifest.withExtensions()))
        #expect(listed.fileCount == 2)
        #expect(listed.sizes == FileEntry.Sizes(raw: 12_582_912, stored: 48_211))
        #expect(listed.manifest?.builtin?.files == [])
        #expect(try listed.manifest?.position == SampleManifest.position("1-61"))
    }

    @Test("Without sizes in the manifest there is a count only")
    func withoutSizes() throws {
        let listed = ListedBackup(name: "x", state: .complete(try SampleManifest.fullV23()))
        #expect(listed.fileCount == 4)
        #expect(listed.sizes == nil)
    }

    @Test("Another engine's backup has neither")
    func otherEngine() throws {
        let manifest = try Manifest(decoding: Fixture.bytes("manifests/xtrabackup.json"))
        let listed = ListedBackup(name: "x", state: .complete(manifest))
        #expect(listed.fileCount == nil && listed.sizes == nil)
        #expect(listed.manifest == manifest)
    }

    @Test("The time is that of the name; a foreign name has none")
    func time() throws {
        let ours = SampleBackup.incomplete("2026-03-27.101500.zone1-0000000102")
        #expect(ours.time == Date(timeIntervalSince1970: 1_774_606_500))
        #expect(ours.parsedName?.alias == TabletAlias(cell: "zone1", uid: 102))
        #expect(ours.manifest == nil)
        let foreign = try SampleBackup.full("lost+found")
        #expect(foreign.time == nil && foreign.parsedName == nil)
        #expect(foreign.manifest != nil)
    }
}
