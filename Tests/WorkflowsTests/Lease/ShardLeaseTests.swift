import Concurrency
import FoundationEssentials
import Logging
import Storage
import TestKit
import Testing
import Vocabulary

@testable import Workflows

/// Who may work on a shard, whatever the clocks of two machines say.
@Suite("the lease of a shard", .timeLimit(.minutes(5)))
struct ShardLeaseTests {
    private static let start = Date(timeIntervalSince1970: 1_800_000_000)
    private let shard: ShardPath
    private let storage = InMemoryStorage()
    private let place: Note.Place
    private let slept = LockedBox(Duration.zero)

    init() throws {
        shard = try ShardPath("commerce/0")
        place = Note.Place(.lease, of: shard)
    }

    /// Goes on only while somebody sleeps; `after` is told how long that has been.
    private func clock(_ after: @escaping @Sendable (Duration) async throws -> Void = { _ in }) -> Clocks {
        Clocks(
            now: { [slept] in Self.start.addingTimeInterval(slept.get() / .seconds(1)) },
            elapsed: { [slept] in slept.get() },
            sleep: { [slept] duration in
                try Task.checkCancellation()
                await Task.yield()
                slept.update { $0 += duration }
                try await after(slept.get())
            }
        )
    }

    private func holder(_ alias: String) -> LeaseHolder {
        LeaseHolder(alias: alias, host: alias, process: 1, boot: alias, processNamespace: alias, processStart: "1")
    }

    private func lease(_ clock: Clocks, in other: (any BackupStorage)? = nil) -> ShardLease {
        ShardLease(
            storage: other ?? storage,
            shard: shard,
            holder: holder("ours"),
            clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    private func write(renewed: Double, lifetime: Double = 120) async throws {
        var record = LeaseRecord(holder: holder("theirs"), since: Self.start, lifetime: lifetime)
        record.renewed = Self.start.addingTimeInterval(renewed)
        _ = try await storage.writeNote(try record.encoded(), at: place, expecting: .anything)
    }

    @Test("a lease that has not ended by either clock refuses at once", arguments: [0.0, -119, 110])
    func living(renewed: Double) async throws {
        try await write(renewed: renewed)
        let error = await #expect(throws: WorkflowError.self) { try await lease(clock()).hold { _ in } }
        #expect(error?.code == .refused)
        #expect(error?.description.contains("theirs on theirs") == true)
        #expect(slept.get() == .zero)
    }

    @Test("one that nobody renews for its lifetime is taken over, whatever it says", arguments: [-121.0, -1e6, 1e6])
    func dead(renewed: Double) async throws {
        try await write(renewed: renewed)
        let taken = try await lease(clock()).hold { _ in slept.get() }
        #expect(taken >= .seconds(120))
        #expect(try await storage.note(at: place) == nil)
    }

    @Test("one whose holder lives, and has another clock, is not taken", arguments: [-1e6, 1e6])
    func otherClock(renewed: Double) async throws {
        try await write(renewed: renewed)
        let clock = clock { slept in
            if slept >= .seconds(100) { try await write(renewed: renewed + 100) }
        }
        let error = await #expect(throws: WorkflowError.self) { try await lease(clock).hold { _ in } }
        #expect(error?.code == .refused)
        #expect(error?.description.contains("clocks of the machines") == true)
        #expect(try await storage.note(at: place).flatMap { LeaseRecord($0.bytes) }?.holder.alias == "theirs")
    }

    @Test("a record that asks for more than an hour is none")
    func endless() async throws {
        try await write(renewed: 0, lifetime: 3601)
        try await lease(clock()).hold { _ in }
        #expect(slept.get() < .seconds(120))
    }

    @Test("storage that fails for a moment before the commit is asked again")
    func confirmed() async throws {
        // The first write takes the lease.
        let faulty = FaultyStorage(storage, plan: [.writeNote(.nth(2), .before), .writeNote(.nth(3), .after)])
        let attempts = try await lease(clock(), in: faulty).hold { held in
            try await held.confirm()
            return faulty.count(.writeNote)
        }
        #expect(attempts >= 4)
    }

    @Test("storage that fails until the lease ends keeps the commit from happening")
    func unconfirmed() async throws {
        let faulty = FaultyStorage(storage, plan: (2...400).map { .writeNote(.nth($0), .before) })
        let error = await #expect(throws: WorkflowError.self) {
            try await lease(clock(), in: faulty).hold { held in try await held.confirm() }
        }
        #expect(error?.code == .lease)
    }

    @Test("a mark that cannot be renewed does not lose the lease, and none is written after marking has stopped")
    func marks() async throws {
        let mark = Note.Place(.lease, of: shard, backup: "b")
        try await lease(clock()).hold { [storage, shard] held in
            _ = try await storage.startBackup("b", of: shard)
            try await held.mark("b")
            #expect(try await storage.note(at: mark) != nil)
            try await held.stopMarking()
            try await storage.removeNote(at: mark, expecting: .anything)
            try await held.confirm()
            #expect(try await storage.note(at: mark) == nil)
        }
        let faulty = FaultyStorage(storage, plan: [.writeNote(.nth(4), .before)])
        try await lease(clock(), in: faulty).hold { held in
            try await held.mark("b")
            try await held.confirm()
            try await held.confirm()
        }
    }
}
