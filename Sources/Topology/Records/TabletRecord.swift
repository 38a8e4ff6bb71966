package import Vocabulary

/// What a client of a tablet needs to know of it.
package struct TabletRecord: Hashable, Sendable {
    /// What a tablet does.
    package enum Kind: Int, Hashable, Sendable, CaseIterable {
        case unknown, primary, replica, rdonly, spare, experimental, backup, restore, drained

        /// Whether queries may be routed to it.
        package var isServing: Bool { self == .primary || self == .replica || self == .rdonly }

        /// Parses a name of the enumeration in any case, with its old aliases.
        package init?(name: String) {
            switch name.uppercased() {
            case "MASTER": self = .primary
            case "BATCH": self = .rdonly
            default:
                guard let kind = Self.allCases.first(where: { "\($0)".uppercased() == name.uppercased() }) else {
                    return nil
                }
                self = kind
            }
        }
    }

    package var alias: TabletAlias
    package var kind: Kind
    package var hostname: String
    package var ports: [String: Int]
    package var keyspace: String
    package var shard: String
    /// Where replicas connect; empty while the tablet is down.
    package var mysqlHostname: String
    package var mysqlPort: Int
    /// It said so itself; a tablet of Vitess before v24 only takes its addresses away.
    package var isShutDown: Bool

    /// Creates a record.
    package init(
        alias: TabletAlias,
        kind: Kind,
        keyspace: String,
        shard: String,
        mysqlHostname: String,
        mysqlPort: Int,
        hostname: String = "",
        ports: [String: Int] = [:],
        isShutDown: Bool = false
    ) {
        (self.alias, self.kind, self.keyspace, self.shard) = (alias, kind, keyspace, shard)
        (self.mysqlHostname, self.mysqlPort, self.hostname, self.ports) = (mysqlHostname, mysqlPort, hostname, ports)
        self.isShutDown = isShutDown
    }
}
