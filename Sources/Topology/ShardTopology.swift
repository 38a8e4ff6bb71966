import SwiftProtobuf
package import Vocabulary
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

    /// All tablets of a shard, by the replication records of every cell; cells and tablets are read at once.
    /// - Throws: ``TopologyError`` when the shard or the names of the cells cannot be read.
    package func tablets(of path: ShardPath) async throws -> ShardTablets {
        var aliases: Set<TabletAlias> = []
        if let primary = try await shard(path).primary { aliases.insert(primary) }
        var failures = Failures()
        let file = "keyspaces/\(path.keyspace)/shards/\(path.shard)/ShardReplication"
        for answer in await answers(
            try await cells(),
            { cell in
                try await record(Topodata_ShardReplication.self, file, in: .cell(cell))
            }
        ) {
            switch answer.1 {
            case .success(let replication):
                aliases.formUnion(replication.nodes.compactMap { TabletAlias($0.tabletAlias) })
            case .failure(let error): failures.note(error, path.shard)
            }
        }
        // What a tablet's cell says counts more than what the replication record's cell did.
        var failuresOfTablets = Failures()
        var tablets: [TabletRecord] = []
        for (alias, answer) in await answers(aliases.sorted(), { try await tablet($0) }) {
            switch answer {
            case .success(let tablet): tablets.append(tablet)
            case .failure(let error): failuresOfTablets.note(error, alias.cell)
            }
        }
        try Task.checkCancellation()
        return ShardTablets(found: tablets, missing: failuresOfTablets.first ?? failures.first)
    }

    /// The first of those that make a result partial; what is not there does not.
    private struct Failures {
        var first: TopologyError?

        mutating func note(_ error: any Error, _ place: String) {
            if let error = error as? TopologyError, error.code == .noNode { return }
            first = first ?? TopologyError(.partialResult, "partial result: \(place): \(error)")
        }
    }

    /// Asks about all items at once: one that is not answered must not keep us from the others.
    private func answers<Item: Sendable, Answer: Sendable>(
        _ items: [Item],
        _ ask: @escaping @Sendable (Item) async throws -> Answer
    ) async -> [(Item, Result<Answer, any Error>)] {
        await withTaskGroup(of: (Int, Result<Answer, any Error>).self) { group in
            for (index, item) in items.enumerated() {
                // The store limits how many of them run.
                group.addTask {
                    do {
                        return (index, .success(try await ask(item)))
                    } catch {
                        return (index, .failure(error))
                    }
                }
            }
            var answers: [(Int, Result<Answer, any Error>)] = []
            for await answer in group { answers.append(answer) }
            return answers.sorted { $0.0 < $1.0 }.map { (items[$0.0], $0.1) }
        }
    }

    private func cells() async throws -> [String] {
        do {
            return try await store.list("cells", in: .global)
        } catch let error as TopologyError where error.code == .noNode {
            return []
        }
    }
}

/// The tablets of a shard as far as the topology tells.
package struct ShardTablets: Hashable, Sendable {
    /// Sorted by alias.
    package var found: [TabletRecord]
    /// Why there may be more; `nil`: these are all.
    package var missing: TopologyError?

    /// What was found.
    package init(found: [TabletRecord], missing: TopologyError?) {
        (self.found, self.missing) = (found, missing)
    }
}
