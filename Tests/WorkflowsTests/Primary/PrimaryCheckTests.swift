import Catalog
import Concurrency
import FoundationEssentials
import Logging
import Positions
import TestKit
import Testing
import Topology
import Vocabulary

@testable import Workflows

/// What no waiting heals is told before the restore, and for how long it is tried again.
@Suite("asking the primary before the restore", .timeLimit(.minutes(5)))
struct PrimaryCheckTests {
    private struct Unreachable: Error {}

    private struct Primary: PrimaryTablet, ReplicationAccess {
        let answer: @Sendable () throws -> Void
        func position(of tablet: TabletRecord) async throws -> Position { .mysql56(GTIDSet()) }
        func check(_ tablet: TabletRecord) async throws { try answer() }
    }

    /// Time passes only while somebody sleeps.
    private let time = LockedBox(Duration.zero)
    private let lines = LogLines()

    private func check(
        _ hasPrimary: Bool = true,
        _ answer: @escaping @Sendable () throws -> Void
    ) throws -> PrimaryCheck {
        let topology = InMemoryTopology()
        topology.set(
            "keyspaces/commerce/shards/0/Shard",
            in: .global,
            to: hasPrimary ? #"{"primary_alias": {"cell": "zone1", "uid": 101}}"# : "{}"
        )
        topology.set(
            "tablets/zone1-0000000101/Tablet",
            in: .cell("zone1"),
            to: #"{"alias": {"cell": "zone1", "uid": 101}, "mysql_hostname": "db", "mysql_port": 3306}"#
        )
        let primary = Primary(answer: answer)
        let time = time
        return PrimaryCheck(
            primary: ShardPrimary(
                shard: try ShardPath("commerce/0"),
                topology: ShardTopology(store: topology),
                tablets: primary,
                clock: Clocks(
                    now: { Date() },
                    elapsed: { time.get() },
                    sleep: { wait in time.update { $0 += wait } }
                ),
                logger: lines.logger
            ),
            access: primary,
            logger: lines.logger
        )
    }

    @Test("the same refusal for sixty seconds ends the pass, and is said as an error before")
    func lasting() async throws {
        let check = try check { throw PrimaryError("refused; HINT: grant it") }
        let error = await #expect(throws: WorkflowError.self) { try await check.run() }
        #expect(error?.description == "not taking backup: refused; HINT: grant it")
        #expect(time.get() >= .seconds(60) && time.get() < .seconds(75))
        #expect(
            lines.all.contains {
                $0.contains("refused; HINT: grant it; no waiting heals that, trying for another 1m0s")
            }
        )
    }

    @Test("a grant that comes half a minute later is in time")
    func healed() async throws {
        let time = time
        try await check { if time.get() < .seconds(30) { throw PrimaryError("no right") } }.run()
        #expect(time.get() >= .seconds(30) && time.get() < .seconds(60))
    }

    @Test("another refusal has a minute of its own")
    func another() async throws {
        let time = time
        let check = try check { throw PrimaryError(time.get() < .seconds(45) ? "one" : "another") }
        await #expect(throws: WorkflowError.self) { try await check.run() }
        #expect(time.get() >= .seconds(105))
    }

    @Test("who cannot be reached may be back after the restore")
    func unreachable() async throws {
        try await check { throw Unreachable() }.run()
        #expect(time.get() == .zero)
        #expect(lines.all.contains { $0.contains("cannot tell before the restore") })
    }

    @Test("a shard without a primary is no reason to restore for hours")
    func noPrimary() async throws {
        let check = try check(false) {}
        let error = await #expect(throws: WorkflowError.self) { try await check.run() }
        #expect(error?.description.contains("shard commerce/0 has no primary") == true)
    }

    @Test("in catch-up ten minutes of the same refusal are waited for, at error each minute")
    func inCatchUp() async throws {
        struct Refusing: PrimaryTablet {
            func position(of tablet: TabletRecord) async throws -> Position { throw PrimaryError("refused") }
        }
        let limits = CatchUp.Limits()
        let shard = try check {}.primary
        let primary = ShardPrimary(
            shard: shard.shard,
            topology: shard.topology,
            tablets: Refusing(),
            clock: shard.clock,
            logger: shard.logger
        )
        await #expect(throws: WorkflowError.self) {
            _ = try await primary.position(within: limits.primaryUnreachable, refusedFor: limits.noProgress)
        }
        #expect(time.get() >= .seconds(600) && time.get() < .seconds(660))
        #expect((9...11).contains(lines.all.filter { $0.contains("refused; no waiting heals that") }.count))
    }
}
