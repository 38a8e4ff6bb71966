package import Catalog
import SwiftProtobuf
import WireProtos

/// The records of one cluster, read afresh at every call.
package struct ShardTopology: Sendable {
    private let store: any TopologyStore

    /// Reads from `store`.
    package init(store: any TopologyStore) {
        self.store = store
    }

    /// The shard's record.
    /// - Throws: ``TopologyError``, with code `noNode` when the shard does not exist.
    package func shard(_ path: ShardPath) async throws -> ShardRecord {
        let file = "keyspaces/\(path.keyspace)/shards/\(path.shard)/Shard"
        return ShardRecord(try await record(Topodata_Shard.self, file, in: .global))
    }

    /// A tablet's record.
    /// - Throws: ``TopologyError``.
    package func tablet(_ alias: TabletAlias) async throws -> TabletRecord {
        let file = "tablets/\(alias)/Tablet"
        return TabletRecord(try await record(Topodata_Tablet.self, file, in: .cell(alias.cell)))
    }

    private func record<Record: Message>(
        _ type: Record.Type,
        _ path: String,
        in cell: TopologyCell
    ) async throws -> Record {
        try store.coding.decode(type, try await store.read(path, in: cell).bytes, path, cell)
    }

    /// All tablets of a shard, by the replication records of every cell.
    /// - Throws: ``TopologyError``: a cell that cannot be read makes the result partial, which is an error here.
    package func tablets(of path: ShardPath) async throws -> [TabletRecord] {
        var aliases: Set<TabletAlias> = []
        if let primary = try await shard(path).primary { aliases.insert(primary) }
        for cell in try await cells() {
            let file = "keyspaces/\(path.keyspace)/shards/\(path.shard)/ShardReplication"
            do {
                let replication = try await record(Topodata_ShardReplication.self, file, in: .cell(cell))
                aliases.formUnion(replication.nodes.compactMap { TabletAlias($0.tabletAlias) })
            } catch let error as TopologyError where error.code == .noNode {
                continue
            } catch let error as TopologyError {
                throw TopologyError(.partialResult, "partial result: \(path.shard): \(error)")
            }
        }
        var tablets: [TabletRecord] = []
        for alias in aliases.sorted() {
            do {
                tablets.append(try await tablet(alias))
            } catch let error as TopologyError where error.code == .noNode {
                continue
            } catch let error as TopologyError {
                throw TopologyError(.partialResult, "partial result: \(alias.cell): \(error)")
            }
        }
        return tablets
    }

    private func cells() async throws -> [String] {
        do {
            return try await store.list("cells", in: .global)
        } catch let error as TopologyError where error.code == .noNode {
            return []
        }
    }
}
