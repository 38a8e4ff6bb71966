import FoundationEssentials
import Positions
import Testing

@testable import Catalog

@Suite("Which backup is the newest")
struct BackupOrderTests {
    private static let yesterday = "2026-03-26.101500.zone1-0000000100"
    private static let today = "2026-03-27.101500.zone1-0000000100"
    /// Of a clock that was two years ahead.
    private static let future = "2028-03-27.101500.zone1-0000000100"
    private static let now = "2026-03-27T12:00:00Z"

    private func choose(_ backups: [ListedBackup]) -> String? {
        RestoreChoice(backups, methods: [.builtin], directory: "ks/0", runningVersion: "Ver 9.7.4").backup?.name
    }

    @Test("a name in the future is not the base of later passes: what holds more is newer")
    func futureBase() throws {
        let backups = [
            try SampleBackup.full(Self.yesterday, at: "1-10"), try SampleBackup.full(Self.today, at: "1-30"),
            try SampleBackup.full(Self.future, at: "1-20"),
        ]
        #expect(choose(backups) == Self.today)
        #expect(ListedBackup.fullsByAge(backups).map(\.name) == [Self.yesterday, Self.future, Self.today])
    }

    @Test("at the same position, and where positions do not compare, the time of the end decides, then the name")
    func ties() throws {
        for (left, right) in [("1-20", "1-20"), ("1-20", "5-30")] {
            let ended = [
                try SampleBackup.full(Self.today, at: left, finished: "2026-03-27T10:20:00Z"),
                try SampleBackup.full(Self.future, at: right, finished: "2026-03-26T10:20:00Z"),
            ]
            #expect(choose(ended) == Self.today)
            let named = [
                try SampleBackup.full(Self.yesterday, at: left, finished: "2026-03-27T10:20:00Z"),
                try SampleBackup.full(Self.today, at: right, finished: "2026-03-27T10:20:00Z"),
            ]
            #expect(choose(named) == Self.today)
        }
    }

    @Test(
        "whatever the names and times, nothing comes before what it contains",
        arguments: 1...40 as ClosedRange<UInt64>
    )
    func linearExtension(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let backups = try (1...20).map { number in
            let (first, count) = (Int.random(in: 1...8, using: &generator), Int.random(in: 0...8, using: &generator))
            let hour = Int.random(in: 10...20, using: &generator)
            return try SampleBackup.full(
                "2026-03-27.10\(9 + number)00.zone1-0000000100",
                at: "\(first)-\(first + count)",
                finished: "2026-03-27T\(hour):00:00Z"
            )
        }.shuffled(using: &generator)
        let ordered = ListedBackup.fullsByAge(backups)
        #expect(Set(ordered.map(\.name)) == Set(backups.map(\.name)))
        for (index, newer) in ordered.enumerated() {
            for older in ordered[..<index] where older.manifest?.position != newer.manifest?.position {
                #expect(older.manifest?.position?.isAtLeast(newer.manifest?.position) == false)
            }
        }
        // The same whatever the order in which they were listed.
        #expect(ListedBackup.fullsByAge(backups.reversed()) == ordered)
    }

    @Test(
        "with one to keep, the one in the future goes in favour of the newest, once it is old enough, and never the other way"
    )
    func retention() throws {
        var policy = Retention.Policy()
        policy.minimumTime = 60
        let backups = [
            try SampleBackup.full(Self.yesterday, at: "1-10"), try SampleBackup.full(Self.today, at: "1-30"),
            try SampleBackup.full(Self.future, at: "1-20"),
        ]
        let plan = Retention(backups, policy: policy, now: try SampleBackup.moment(Self.now))
        #expect(plan.removals.map(\.name) == [Self.yesterday])
        let later = Retention(backups, policy: policy, now: try SampleBackup.moment("2028-03-28T00:00:00Z"))
        #expect(later.removals.map(\.name) == [Self.future, Self.yesterday])
    }

    @Test("what this pass took stays, also when another one counts as newer")
    func spared() throws {
        var policy = Retention.Policy()
        policy.minimumTime = 60
        let backups = [
            try SampleBackup.full(Self.today, at: "1-20", finished: "2026-03-27T10:20:00Z"),
            try SampleBackup.full(Self.future, at: "1-20", finished: "2028-03-27T10:20:00Z"),
        ]
        let now = try SampleBackup.moment(Self.now)
        #expect(Retention(backups, policy: policy, now: now).removals.map(\.name) == [Self.today])
        let plan = Retention(backups, policy: policy, now: now, sparing: [Self.today: "it was taken by this pass"])
        #expect(plan.removals.isEmpty)
        #expect(plan.verdicts.first?.reason == "it was taken by this pass")
    }

    @Test("an unfinished backup is not taken for abandoned because of a name in the future")
    func unfinished() throws {
        var policy = Retention.Policy()
        policy.minimumTime = 60
        let backups = [
            try SampleBackup.full(Self.yesterday), SampleBackup.incomplete(Self.today),
            try SampleBackup.full(Self.future),
        ]
        let plan = Retention(backups, policy: policy, now: try SampleBackup.moment(Self.now))
        #expect(!plan.removals.contains { $0.name == Self.today })
    }

    @Test("it is said of a name in the future, and of a position with tags")
    func warnings() throws {
        let now = try SampleBackup.moment(Self.now)
        #expect(try SampleBackup.full(Self.today).warning(now) == nil)
        #expect(try SampleBackup.full(Self.future).warning(now)?.contains("in the future") == true)
        // Clocks always differ a little.
        #expect(try SampleBackup.full("2026-03-27.120400.zone1-0000000100").warning(now) == nil)
        var manifest = Manifest()
        manifest.position = try Position("3e11fa47-71ca-11e1-9e33-c80aa9429562:audit:1-3", flavor: .mysql56)
        let tagged = ListedBackup(name: Self.today, state: .complete(manifest))
        #expect(tagged.warning(now)?.contains("tagged GTIDs") == true)
    }
}
