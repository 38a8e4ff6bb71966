import Testing
import Vocabulary

@testable import Topology

@Suite("Tablets of a shard", .timeLimit(.minutes(5)))
struct ShardTopologyTests {
    private let shard: ShardPath

    init() throws {
        shard = try ShardPath("ks/-80")
    }

    private func tablets(_ tree: RecordTree) async throws -> [String] {
        try await ShardTopology(store: tree.inMemory()).tablets(of: shard).found.map(\.alias.description)
    }

    private static let all = ["zone1-0000000100", "zone1-0000000101", "zone2-0000000007"]

    @Test("are those of all cells, sorted, each once")
    func all() async throws {
        let tablets = try await ShardTopology(store: RecordTree.twoCells.inMemory()).tablets(of: shard).found
        #expect(tablets.map(\.alias.description) == Self.all)
        #expect(tablets.map(\.kind) == [.primary, .replica, .rdonly])
        #expect(tablets[0].mysqlHostname == "db1")
        #expect(tablets[0].mysqlPort == 3306)
    }

    @Test("the primary belongs to them although no replication record names it")
    func primaryOnly() async throws {
        let tree = RecordTree.twoCells.adding(.cell("zone1"), "keyspaces/ks/shards/-80/ShardReplication", nil)
        #expect(try await tablets(tree) == ["zone1-0000000100", "zone2-0000000007"])
    }

    @Test("a cell where the shard has nothing is no error, nor is a tablet that has gone")
    func nothingThere() async throws {
        let tree = RecordTree.twoCells
            .adding(.global, "cells/zone3/CellInfo", "{}")
            .adding(.cell("zone1"), "tablets/zone1-0000000101/Tablet", nil)
        #expect(try await tablets(tree) == ["zone1-0000000100", "zone2-0000000007"])
    }

    @Test("a shard without primary and without tablets has none")
    func empty() async throws {
        #expect(try await tablets(.file(.global, "keyspaces/ks/shards/-80/Shard", "{}")).isEmpty)
    }

    @Test("a shard that does not exist is not found")
    func noShard() async throws {
        let tree = RecordTree.twoCells.adding(.global, "keyspaces/ks/shards/-80/Shard", nil)
        let error = await #expect(throws: TopologyError.self) { _ = try await tablets(tree) }
        #expect(error == TopologyError(.noNode, "node doesn't exist: keyspaces/ks/shards/-80/Shard"))
    }

    @Test("a damaged shard record is that error")
    func damagedShard() async throws {
        let tree = RecordTree.twoCells.adding(.global, "keyspaces/ks/shards/-80/Shard", "{")
        #expect(await #expect(throws: TopologyError.self) { _ = try await tablets(tree) }?.code == .damagedRecord)
    }

    private func missing(_ store: InMemoryTopology) async throws -> (found: [UInt32], missing: TopologyError?) {
        let tablets = try await ShardTopology(store: store).tablets(of: shard)
        return (tablets.found.map(\.alias.uid), tablets.missing)
    }

    @Test("a replication record that does not decode makes the result partial, the others are found")
    func partialByReplication() async throws {
        let tree = RecordTree.twoCells.adding(.cell("zone2"), "keyspaces/ks/shards/-80/ShardReplication", "{")
        let result = try await missing(tree.inMemory())
        #expect(result.found == [100, 101])
        #expect(result.missing?.code == .partialResult)
        #expect(result.missing?.message.hasPrefix("partial result: -80: damaged record") == true)
    }

    @Test("so does a tablet record that does not decode")
    func partialByTablet() async throws {
        let tree = RecordTree.twoCells.adding(.cell("zone2"), "tablets/zone2-0000000007/Tablet", "{")
        let result = try await missing(tree.inMemory())
        #expect(result.found == [100, 101])
        #expect(result.missing?.code == .partialResult)
        #expect(result.missing?.message.hasPrefix("partial result: zone2: damaged record") == true)
    }

    @Test("so does a cell that does not answer")
    func partialByCell() async throws {
        let store = RecordTree.twoCells.inMemory()
        store.setUnreachable(.cell("zone2"), TopologyError(.timeout, "zone2 is down"))
        let result = try await missing(store)
        #expect(result.found == [100, 101])
        #expect(result.missing?.message.contains("zone2 is down") == true)
        // The global records are needed.
        store.setUnreachable(.global, TopologyError(.timeout, "global is down"))
        let error = await #expect(throws: TopologyError.self) { _ = try await missing(store) }
        #expect(error?.code == .timeout)
    }

    @Test("records are read afresh at every call")
    func fresh() async throws {
        let store = RecordTree.twoCells.inMemory()
        let topology = ShardTopology(store: store)
        #expect(try await topology.shard(shard).primary?.uid == 100)
        store.set(
            "keyspaces/ks/shards/-80/Shard",
            in: .global,
            to: #"{"primary_alias": {"cell": "zone1", "uid": 101}}"#
        )
        #expect(try await topology.shard(shard).primary?.uid == 101)
    }
}
