import FoundationEssentials
import Testing

@testable import Catalog
@testable import Vocabulary

@Suite("Freshness: whether a pass takes a backup")
struct FreshnessTests {
    private static let older = "2026-03-26.101500.zone1-0000000100"
    private static let newer = "2026-03-27.101500.zone1-0000000102"
    private static let newest = "2026-03-28.101500.zone1-0000000102"

    private func decide(
        _ backups: [ListedBackup],
        at now: String = "2026-03-27T10:45:00Z",
        minimumInterval: Double = 0,
        initialBackup: Bool = false,
        allowFirstBackup: Bool = false
    ) throws -> Freshness {
        var policy = Freshness.Policy()
        policy.minimumInterval = minimumInterval
        policy.initialBackup = initialBackup
        policy.allowFirstBackup = allowFirstBackup
        return Freshness.decide(backups, policy: policy, now: try SampleBackup.moment(now))
    }

    // MARK: Initial backup

    @Test("Initial: a complete backup of any kind is enough")
    func initialWithBackup() throws {
        let skipped = Freshness.skip(
            reason:
                "At least one complete backup already exists, so there's no need to seed an empty backup. Doing nothing."
        )
        #expect(try decide([SampleBackup.full(Self.older)], initialBackup: true) == skipped)
        let mixed = [try SampleBackup.full(Self.older), SampleBackup.incomplete(Self.newer)]
        #expect(try decide(mixed, minimumInterval: 1, initialBackup: true) == skipped)
        #expect(try decide(mixed, initialBackup: true, allowFirstBackup: true) == skipped)
    }

    @Test("Initial: nothing, or nothing complete, or nothing of ours is seeded")
    func initialWithoutBackup() throws {
        let taken = Freshness.take(reason: "the shard has no complete backup yet: seeding it with an empty one")
        #expect(try decide([], initialBackup: true) == taken)
        #expect(try decide([SampleBackup.incomplete(Self.older)], initialBackup: true) == taken)
        #expect(try decide([SampleBackup.full("lost+found")], initialBackup: true) == taken)
    }

    // MARK: First backup of a living shard

    @Test("Nothing to start from is refused")
    func refused() throws {
        let none =
            "no existing backups to restore from; backup is not possible since --initial_backup flag was not enabled"
        #expect(try decide([]) == .refuse(message: none))
        // What is no backup by its name is as good as nothing.
        #expect(try decide([SampleBackup.full("lost+found")], minimumInterval: 3_600) == .refuse(message: none))
    }

    @Test("What is there and cannot be used is named with its fault")
    func refusedWithReasons() throws {
        let begin =
            "no complete backups to restore from; backup is not possible since --initial_backup flag was not enabled; found \(Self.older): MANIFEST is not there; HINT: "
        guard case .refuse(let message) = try decide([SampleBackup.incomplete(Self.older)]) else {
            Issue.record("there is nothing to start from")
            return
        }
        #expect(message.hasPrefix(begin), "\(message)")
    }

    @Test("Unless the first backup is allowed")
    func allowed() throws {
        let taken = Freshness.take(reason: "this is the first complete backup of the shard")
        #expect(try decide([], allowFirstBackup: true) == taken)
        #expect(
            try decide([SampleBackup.incomplete(Self.older)], minimumInterval: 3_600, allowFirstBackup: true) == taken
        )
    }

    // MARK: Interval

    @Test("Without an interval every pass takes a backup")
    func noInterval() throws {
        let taken = Freshness.take(reason: "--min-backup-interval is not set, so every pass takes a backup")
        #expect(try decide([SampleBackup.full(Self.newer)]) == taken)
        #expect(try decide([SampleBackup.full(Self.newer)], allowFirstBackup: true) == taken)
    }

    @Test("Too soon")
    func tooSoon() throws {
        let reason =
            "Skipping backup since only 30m0s has elapsed since the last backup at 2026-03-27T10:15:00Z, which is less than the min_backup_interval of 1h0m0s."
        #expect(try decide([SampleBackup.full(Self.newer)], minimumInterval: 3_600) == .skip(reason: reason))
        let interval = try decide([SampleBackup.full(Self.newer)], minimumInterval: 1_800.001)
        #expect(interval == .skip(reason: reason.replacing("of 1h0m0s.", with: "of 30m0.001s.")))
    }

    @Test("Exactly at the interval, and later, a backup is due", arguments: [1_800, 60, 0.001])
    func due(minimumInterval: Double) throws {
        let reason =
            "last complete backup \(Self.newer) was started 30m0s ago, --min-backup-interval is \(GoDuration.text(seconds: minimumInterval))"
        #expect(try decide([SampleBackup.full(Self.newer)], minimumInterval: minimumInterval) == .take(reason: reason))
    }

    @Test("The newest complete backup counts: incomplete and foreign ones behind it do not")
    func newestComplete() throws {
        let backups = [
            try SampleBackup.full(Self.older), try SampleBackup.full(Self.newer), SampleBackup.incomplete(Self.newest),
            try SampleBackup.full("zzz"),
        ]
        let reason = "last complete backup \(Self.newer) was started 26h0m0s ago, --min-backup-interval is 25h0m0s"
        #expect(try decide(backups, at: "2026-03-28T12:15:00Z", minimumInterval: 90_000) == .take(reason: reason))
    }

    @Test("An incremental backup is a backup")
    func incremental() throws {
        let backups = [
            try SampleBackup.full(Self.older),
            try SampleBackup.incremental(Self.newer, at: "1-20", from: "1-10", on: Self.older),
        ]
        let reason =
            "Skipping backup since only 30m0s has elapsed since the last backup at 2026-03-27T10:15:00Z, which is less than the min_backup_interval of 1h0m0s."
        #expect(try decide(backups, minimumInterval: 3_600) == .skip(reason: reason))
    }

    @Test("A backup from a clock that was ahead keeps no new one from being taken")
    func future() throws {
        let alone = try decide([SampleBackup.full(Self.newest)], minimumInterval: 3_600)
        guard case .take = alone else {
            Issue.record("\(alone)")
            return
        }
        // The newest that is not from the future decides.
        let backups = [try SampleBackup.full(Self.newer), try SampleBackup.full(Self.newest)]
        let reason =
            "Skipping backup since only 30m0s has elapsed since the last backup at 2026-03-27T10:15:00Z, which is less than the min_backup_interval of 1h0m0s."
        #expect(try decide(backups, minimumInterval: 3_600) == .skip(reason: reason))
    }
}
