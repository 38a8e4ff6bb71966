import FoundationEssentials
import Positions
import Testing

@testable import Catalog
@testable import Vocabulary

/// Random shards and policies; what must hold is said here a second time, by other means than the planner's.
@Suite("Retention: what holds for every shard")
struct RetentionPropertyTests {
    private struct Shard {
        var backups: [ListedBackup] = []
        /// What each incremental was built on, by name.
        var bases: [String: String] = [:]
        var policy = Retention.Policy()
        var now = Date(timeIntervalSince1970: 1_775_779_200)
    }

    /// A history of some days in which tablets took backups of all kinds, in the order of their names.
    private func shard(_ generator: inout SeededGenerator) throws -> Shard {
        var shard = Shard()
        shard.policy.minimumTime = Double(Int.random(in: 1...12 * 86_400, using: &generator))
        shard.policy.minimumCount = Int.random(in: 1...4, using: &generator)
        var time = shard.now.addingTimeInterval(-14 * 86_400)
        var transactions = 5
        var complete: [(name: String, last: Int)] = []
        for _ in 0..<Int.random(in: 0...30, using: &generator) {
            time += Double(Int.random(in: 1...86_400, using: &generator))
            transactions += Int.random(in: 1...50, using: &generator)
            let name = try BackupName(
                time: time,
                alias: TabletAlias(cell: "zone1", uid: UInt32.random(in: 1...3, using: &generator))
            ).description
            switch Int.random(in: 0..<10, using: &generator) {
            case 0: shard.backups.append(SampleBackup.incomplete(name))
            case 1...4:
                // From a tablet that may lag.
                let last = max(1, transactions - Int.random(in: 0...60, using: &generator))
                shard.backups.append(try SampleBackup.full(name, at: "1-\(last)"))
                complete.append((name, last))
            default:
                guard let base = complete.suffix(4).randomElement(using: &generator) else { continue }
                let named = Bool.random(using: &generator) ? base.name : ""
                let last = max(base.last + 1, transactions)
                shard.backups.append(
                    try SampleBackup.incremental(name, at: "1-\(last)", from: "1-\(base.last)", on: named)
                )
                if !named.isEmpty { shard.bases[name] = base.name }
                complete.append((name, last))
            }
        }
        return shard
    }

    @Test("Random shards", arguments: 1...60 as ClosedRange<UInt64>)
    func holds(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20 {
            let shard = try shard(&generator)
            let plan = Retention(shard.backups, policy: shard.policy, now: shard.now)
            #expect(plan.verdicts.map(\.name) == shard.backups.map(\.name))
            let removed = Set(plan.removals.map(\.name))
            let kept = shard.backups.filter { !removed.contains($0.name) }
            expectEnoughFulls(shard, kept)
            expectYoungKept(shard, kept)
            expectBasesKept(shard, kept, removed)
            expectIncompleteKept(shard, removed)
            #expect(plan.removals.map(\.name) == removed.sorted(by: >), "dependents go first")
        }
    }

    private func isFull(_ backup: ListedBackup) -> Bool { backup.manifest.map { !$0.incremental } ?? false }

    private func expectEnoughFulls(_ shard: Shard, _ kept: [ListedBackup]) {
        // Positions of one source, so that each compares with each.
        let fulls = shard.backups.filter(isFull).sorted { left, right in
            left.manifest?.position == right.manifest?.position
                ? left.name < right.name : right.manifest?.position?.isAtLeast(left.manifest?.position) == true
        }
        let wanted = fulls.suffix(shard.policy.minimumCount)
        #expect(wanted.allSatisfy(kept.contains), "the newest full backups stay")
    }

    private func expectYoungKept(_ shard: Shard, _ kept: [ListedBackup]) {
        let limit = shard.now.addingTimeInterval(-shard.policy.minimumTime)
        let young = shard.backups.filter { ($0.time ?? .distantPast) > limit }
        #expect(young.allSatisfy(kept.contains), "nothing younger than the limit goes")
    }

    private func expectBasesKept(_ shard: Shard, _ kept: [ListedBackup], _ removed: Set<String>) {
        for (index, backup) in kept.enumerated() {
            guard let manifest = backup.manifest, manifest.incremental else { continue }
            if let base = shard.bases[backup.name] {
                #expect(!removed.contains(base), "\(backup.name) was built on \(base)")
            }
            // Whoever starts below and follows kept backups must arrive at the position that this one continues from.
            let below = kept[..<index].compactMap(\.manifest)
            #expect(
                below.contains { $0.position?.isAtLeast(manifest.fromPosition) == true },
                "\(backup.name) hangs in the air"
            )
            #expect(below.contains { !$0.incremental }, "\(backup.name) has no full backup below it")
        }
    }

    private func expectIncompleteKept(_ shard: Shard, _ removed: Set<String>) {
        let newestComplete = shard.backups.last { $0.manifest != nil }?.name ?? ""
        for backup in shard.backups where backup.manifest == nil && removed.contains(backup.name) {
            #expect(backup.name < newestComplete, "\(backup.name) may still be being written")
        }
    }

    @Test("Planning again after the removals removes nothing more", arguments: 61...80 as ClosedRange<UInt64>)
    func idempotent(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20 {
            let shard = try shard(&generator)
            let plan = Retention(shard.backups, policy: shard.policy, now: shard.now)
            let removed = Set(plan.removals.map(\.name))
            let rest = shard.backups.filter { !removed.contains($0.name) }
            let again = Retention(rest, policy: shard.policy, now: shard.now)
            #expect(again.removals.isEmpty)
        }
    }

    @Test("A removal that stops half way leaves every backup usable", arguments: 81...100 as ClosedRange<UInt64>)
    func interrupted(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20 {
            let shard = try shard(&generator)
            let plan = Retention(shard.backups, policy: shard.policy, now: shard.now)
            for done in 0...plan.removals.count {
                let removed = Set(plan.removals.prefix(done).map(\.name))
                for (name, base) in shard.bases where !removed.contains(name) {
                    #expect(!removed.contains(base), "\(name) lost \(base) after \(done) removals")
                }
            }
        }
    }
}
