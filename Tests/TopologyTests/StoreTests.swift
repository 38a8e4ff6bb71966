import TestKit
import Testing
import Vocabulary

@testable import Topology

/// What every store promises, asked of the one in memory and of the one in files with the same records.
@Suite("Contract of topology stores", .timeLimit(.minutes(5)))
struct StoreTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var tree: RecordTree
        var cell = TopologyCell.global
        var path: String
        /// `nil`: nothing is there.
        var content: String?
        var names: [String]?
    }

    private static let tree = RecordTree.twoCells
        .adding(.global, "keyspaces/ks-2/Keyspace", "{}")
        .adding(.global, "keyspaces/ks.x/Keyspace", "{}")
        .adding(.global, "keyspaces/ks_a/Keyspace", "{}")
        .adding(.global, "keyspaces/ks/Keyspace", "")

    static let cases = [
        Case(
            testDescription: "a record",
            tree: tree,
            path: "keyspaces/ks/shards/-80/Shard",
            content: #"{"primary_alias": {"cell": "zone1", "uid": 100}}"#
        ),
        Case(testDescription: "an empty record exists", tree: tree, path: "keyspaces/ks/Keyspace", content: ""),
        Case(testDescription: "a record that is not there", tree: tree, path: "keyspaces/ks/shards/80-/Shard"),
        Case(
            testDescription: "a record in another cell",
            tree: tree,
            cell: .cell("zone2"),
            path: "cells/zone1/CellInfo"
        ),
        Case(testDescription: "a cell that is not there", tree: tree, cell: .cell("zone9"), path: "tablets"),
        Case(
            testDescription: "names are sorted by bytes, immediate children only",
            tree: tree,
            path: "keyspaces",
            names: ["ks", "ks-2", "ks.x", "ks_a"]
        ),
        Case(
            testDescription: "a folder with files and folders",
            tree: tree,
            path: "keyspaces/ks",
            names: ["Keyspace", "shards"]
        ),
        Case(testDescription: "cells", tree: tree, path: "cells", names: ["zone1", "zone2"]),
        Case(
            testDescription: "a cell's tablets",
            tree: tree,
            cell: .cell("zone1"),
            path: "tablets",
            names: ["zone1-0000000100", "zone1-0000000101"]
        ),
        Case(testDescription: "a prefix of a name is no folder", tree: tree, path: "keyspaces/k"),
        Case(testDescription: "nothing lies below a record", tree: tree, path: "cells/zone1/CellInfo/more"),
    ]

    @Test("in memory", arguments: cases)
    func inMemory(_ test: Case) async throws {
        try await verify(test, test.tree.inMemory())
    }

    @Test("in files", arguments: cases)
    func files(_ test: Case) async throws {
        try await test.tree.withFiles { store, _ in try await verify(test, store) }
    }

    private func verify(_ test: Case, _ store: any TopologyStore) async throws {
        #expect(store.coding == .json)
        if let content = test.content {
            #expect(try await store.read(test.path, in: test.cell).bytes == Array(content.utf8))
        } else {
            let error = await #expect(throws: TopologyError.self) { _ = try await store.read(test.path, in: test.cell) }
            #expect(error?.code == .noNode)
            #expect(error?.message.hasPrefix("node doesn't exist: ") == true)
            #expect(error?.message.hasSuffix(test.path) == true)
        }
        if let names = test.names {
            #expect(try await store.list(test.path, in: test.cell) == names)
        } else {
            let error = await #expect(throws: TopologyError.self) { _ = try await store.list(test.path, in: test.cell) }
            #expect(error?.code == .noNode)
            #expect(error?.message.hasSuffix("\(test.path)/") == true)
        }
    }

    @Test("all that a store promises, in memory and in files")
    func conformance() async throws {
        try await TopologyConformance.run(InMemoryTopology(), named: "in memory", in: .global)
        try await TopologyConformance.run(InMemoryTopology(coding: .binary), named: "in memory", in: .cell("zone1"))
        try await RecordTree.twoCells.withFiles { store, _ in
            try await TopologyConformance.run(store, named: "file", in: .global)
            try await TopologyConformance.run(store, named: "file", in: .cell("zone3"))
        }
    }

    @Test("both answer the same about a whole shard")
    func sameShard() async throws {
        let inMemory = ShardTopology(store: RecordTree.twoCells.inMemory())
        try await RecordTree.twoCells.withFiles { store, _ in
            let shard = try ShardPath("ks/-80")
            let found = try await ShardTopology(store: store).tablets(of: shard)
            #expect(found == (try await inMemory.tablets(of: shard)))
            #expect(found.found.count == 3)
        }
    }
}
