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

/// How often a primary that does not answer is asked.
@Suite("asking the primary", .timeLimit(.minutes(5)))
struct ShardPrimaryTests {
    private struct Failure: Error {}

    /// A primary that never answers.
    private struct Silent: PrimaryTablet {
        func position(of tablet: TabletRecord) async throws -> Position { throw Failure() }
    }

    @Test("waits grow to half a minute, and are spread by the clock's jitter", arguments: [0.75, 1, 1.25])
    func waits(jitter: Double) async throws {
        let topology = InMemoryTopology()
        topology.set(
            "keyspaces/commerce/shards/0/Shard",
            in: .global,
            to: #"{"primary_alias": {"cell": "zone1", "uid": 101}}"#
        )
        topology.set(
            "tablets/zone1-0000000101/Tablet",
            in: .cell("zone1"),
            to: #"{"alias": {"cell": "zone1", "uid": 101}, "mysql_hostname": "db", "mysql_port": 3306}"#
        )
        let waits = LockedBox<[Double]>([])
        var clock = Clocks(
            now: { Date() },
            elapsed: { .seconds(waits.get().reduce(0, +)) },
            sleep: { wait in waits.update { $0.append(wait / .seconds(1)) } }
        )
        clock.jitter = { jitter }
        let primary = ShardPrimary(
            shard: try ShardPath("commerce/0"),
            topology: ShardTopology(store: topology),
            tablets: Silent(),
            clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let error = await #expect(throws: WorkflowError.self) { _ = try await primary.position(within: .seconds(300)) }
        #expect(error?.code == .topology)
        #expect(waits.get().prefix(7) == [1, 2, 4, 8, 16, 30, 30].map { $0 * jitter }[...])
        #expect(waits.get().reduce(0, +) <= 300)
    }

    @Test("the machine's own clock spreads waits by a quarter at most")
    func systemJitter() {
        let factors = (0..<1000).map { _ in Clocks.system.jitter() }
        #expect(factors.allSatisfy { (0.75...1.25).contains($0) })
        #expect(Set(factors).count > 1)
    }
}
