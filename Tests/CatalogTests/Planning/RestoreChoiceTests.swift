import Testing

@testable import Catalog

@Suite("Restore choice: which backup a full restore starts from")
struct RestoreChoiceTests {
    private static let names = (1...5).map { "2026-03-0\($0).000000.zone1-0000000100" }
    private static let running = "mysqld  Ver 8.0.40 for Linux"

    private func choose(_ backups: [ListedBackup]) -> RestoreChoice {
        RestoreChoice(backups, methods: [.builtin], directory: "commerce/-80", runningVersion: Self.running)
    }

    @Test("The newest full one, and nothing is said about older ones")
    func newest() throws {
        let backups = [
            SampleBackup.incomplete(Self.names[0]), try SampleBackup.full(Self.names[1]),
            try SampleBackup.full(Self.names[2]),
        ]
        let choice = choose(backups)
        #expect(choice.backup == backups[2])
        #expect(choice.skipped == [])
    }

    @Test("Incremental ones are passed over without a word")
    func incrementals() throws {
        let backups = [
            try SampleBackup.full(Self.names[0]), try SampleBackup.incremental(Self.names[1], at: "1-20", from: "1-10"),
        ]
        let choice = choose(backups)
        #expect(choice.backup == backups[0])
        #expect(choice.skipped == [])
    }

    @Test("Incomplete and incompatible ones are passed over with the reason, newest first")
    func skipped() throws {
        let backups = [
            try SampleBackup.full(Self.names[0], version: "Ver 8.0.36 old"),
            try SampleBackup.full(Self.names[1], version: "Ver 8.4.0 x", upgradeSafe: true),
            SampleBackup.incomplete(Self.names[2]),
            try SampleBackup.full(Self.names[3], version: "Ver 8.0.30 x"),
            SampleBackup.incomplete(Self.names[4]),
        ]
        let choice = choose(backups)
        #expect(choice.backup == backups[0])
        #expect(
            choice.skipped == [
                "Possibly incomplete backup 2026-03-05.000000.zone1-0000000100 in directory commerce/-80 on BackupStorage: can't read MANIFEST: MANIFEST is not there)",
                "Skipping backup commerce/-80/2026-03-04.000000.zone1-0000000100 with incompatible MySQL version Ver 8.0.30 x (upgrade safe: false): running MySQL version \"mysqld  Ver 8.0.40 for Linux\" is newer than backup MySQL version \"Ver 8.0.30 x\" which is not safe to upgrade",
                "Possibly incomplete backup 2026-03-03.000000.zone1-0000000100 in directory commerce/-80 on BackupStorage: can't read MANIFEST: MANIFEST is not there)",
                "Skipping backup commerce/-80/2026-03-02.000000.zone1-0000000100 with incompatible MySQL version Ver 8.4.0 x (upgrade safe: true): running MySQL version \"mysqld  Ver 8.0.40 for Linux\" is older than backup MySQL version \"Ver 8.4.0 x\"",
            ]
        )
    }

    @Test("A manifest without a version is not checked")
    func noVersion() throws {
        let backups = [try SampleBackup.full(Self.names[0], version: "")]
        #expect(choose(backups).backup == backups[0])
    }

    @Test("One of another engine is passed over with the reason, also when it is the newest")
    func otherEngine() throws {
        let backups = [
            try SampleBackup.full(Self.names[0]),
            try SampleBackup.full(Self.names[1], at: "1-20", engine: "xtrabackup"),
        ]
        let choice = choose(backups)
        #expect(choice.backup == backups[0])
        #expect(
            choice.skipped == [
                "Skipping backup commerce/-80/\(Self.names[1]), which was taken with the engine xtrabackup: only builtin ones can be restored here"
            ]
        )
    }

    @Test("There may be none")
    func none() throws {
        #expect(choose([]).backup == nil)
        let backups = [
            SampleBackup.incomplete(Self.names[0]),
            try SampleBackup.incremental(Self.names[1], at: "1-20", from: "1-10"),
        ]
        #expect(choose(backups).backup == nil)
        #expect(choose(backups).skipped.count == 1)
    }
}
