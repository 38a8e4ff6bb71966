package import Vocabulary

/// What a client of a shard needs to know of it.
package struct ShardRecord: Hashable, Sendable {
    /// `nil`: the shard has no primary.
    package var primary: TabletAlias?

    /// Creates a record.
    package init(primary: TabletAlias?) {
        self.primary = primary
    }
}
