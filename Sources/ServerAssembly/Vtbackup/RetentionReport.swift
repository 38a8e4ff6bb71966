import Catalog
import Vocabulary

/// The output of `--prune-dry-run`.
struct RetentionReport {
    let shard: ShardPath
    let retention: Retention

    private struct Entry: Encodable {
        var name: String
        var action: String
        var reason: String
    }

    private struct Document: Encodable {
        var keyspace: String
        var shard: String
        var plan: [Entry]
    }

    private var entries: [Entry] {
        retention.verdicts.map { Entry(name: $0.name, action: $0.remove ? "remove" : "keep", reason: $0.reason) }
    }

    /// The JSON document.
    func json() throws -> String {
        try JSONText.encode(Document(keyspace: shard.keyspace, shard: shard.shard, plan: entries))
    }

    /// The table.
    var table: String {
        TextTable.render([["ACTION", "NAME", "REASON"]] + entries.map { [$0.action, $0.name, $0.reason] })
    }
}
