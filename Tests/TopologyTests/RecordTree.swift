import SystemPackage
import Topology

/// Records of a small cluster, for every store that tests run on.
struct RecordTree: Sendable {
    var files: [TopologyCell: [String: String]] = [:]

    static func file(_ cell: TopologyCell, _ path: String, _ text: String) -> RecordTree {
        RecordTree(files: [cell: [path: text]])
    }

    func adding(_ cell: TopologyCell, _ path: String, _ text: String?) -> RecordTree {
        var copy = self
        copy.files[cell, default: [:]][path] = text
        return copy
    }

    /// Two cells, a primary in `zone1` and a replica in `zone2`.
    static let twoCells = RecordTree()
        .adding(.global, "cells/zone1/CellInfo", "{}")
        .adding(.global, "cells/zone2/CellInfo", "{}")
        .adding(.global, "keyspaces/ks/shards/-80/Shard", #"{"primary_alias": {"cell": "zone1", "uid": 100}}"#)
        .adding(
            .cell("zone1"),
            "keyspaces/ks/shards/-80/ShardReplication",
            #"{"nodes": [{"tablet_alias": {"cell": "zone1", "uid": 100}}, {"tablet_alias": {"cell": "zone1", "uid": 101}}]}"#
        )
        .adding(
            .cell("zone2"),
            "keyspaces/ks/shards/-80/ShardReplication",
            #"{"nodes": [{"tablet_alias": {"cell": "zone2", "uid": 7}}]}"#
        )
        .adding(
            .cell("zone1"),
            "tablets/zone1-0000000100/Tablet",
            #"{"alias": {"cell": "zone1", "uid": 100}, "type": "PRIMARY", "keyspace": "ks", "shard": "-80", "mysql_hostname": "db1", "mysql_port": 3306}"#
        )
        .adding(
            .cell("zone1"),
            "tablets/zone1-0000000101/Tablet",
            #"{"alias": {"cell": "zone1", "uid": 101}, "type": "REPLICA", "keyspace": "ks", "shard": "-80"}"#
        )
        .adding(
            .cell("zone2"),
            "tablets/zone2-0000000007/Tablet",
            #"{"alias": {"cell": "zone2", "uid": 7}, "type": "RDONLY", "keyspace": "ks", "shard": "-80"}"#
        )

    func inMemory() -> InMemoryTopology {
        let store = InMemoryTopology()
        for (cell, texts) in files {
            for (path, text) in texts { store.set(path, in: cell, to: text) }
        }
        return store
    }
}
