import FoundationEssentials
import Positions
import Testing

@testable import Catalog
@testable import Vocabulary

/// MANIFESTs that the real Vitess 24.0.4 wrote, full and incremental, by vtbackup and by a tablet, on MySQL 9.7 and 8.0.
@Suite("Manifests of the real Vitess")
struct GoldenManifestTests {
    private static let folder = "vitess-24.0.4"
    private static let names = (try? Fixture.names(in: folder)) ?? []

    @Test("there are fourteen")
    func count() { #expect(Self.names.count == 14) }

    @Test("are decoded, and encoded again byte for byte", arguments: names)
    func roundTrip(_ file: String) throws {
        let bytes = try Fixture.bytes("\(Self.folder)/\(file)")
        let manifest = try Manifest(decoding: bytes)
        #expect(manifest.encoded() == bytes)
        #expect("\(manifest.backupName).json" == file)
        #expect(manifest.method == .builtin)
        #expect(try BackupName(manifest.backupName).time == manifest.backupTime)
        let files = try #require(manifest.builtin?.files)
        let isMySQL8 = file.hasPrefix("2026-11-29.0158") || file.hasPrefix("2026-11-29.0159")
        if manifest.incremental {
            #expect(files.allSatisfy { $0.base == .binLog })
        } else {
            let redo = isMySQL8 ? "ib_logfile0" : "#innodb_redo/"
            #expect(files.contains { $0.base == .innodbLog && $0.name.hasPrefix(redo) })
            #expect(files.contains { $0.base == .innodbData && $0.name == "ibdata1" })
        }
        let listed = ListedBackup(name: manifest.backupName, state: .complete(manifest))
        #expect(listed.fileCount == files.count)
        #expect(listed.time == manifest.backupTime)
        #expect(listed.problem == nil)
    }

    @Test("the incremental ones hang on each other, the newest full one is what a restore takes")
    func chain() throws {
        let manifests = try Self.names.map { try Manifest(decoding: Fixture.bytes("\(Self.folder)/\($0)")) }
            .filter { $0.keyspace == "commerce" }
        let incremental = manifests.filter(\.incremental)
        #expect(
            incremental.map { $0.fromBackup.suffix(24) } == [
                ".012040.zone1-0000000101", ".012046.zone1-0000000101", ".012046.zone1-0000000101",
            ]
        )
        for manifest in incremental {
            let base = try #require(manifests.first { $0.backupName == manifest.fromBackup })
            #expect(manifest.position?.isAtLeast(base.position) == true)
        }
        #expect(manifests.filter { !$0.incremental }.count == 9)
    }
}
