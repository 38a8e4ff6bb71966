import Vocabulary
import WireProtos

// What clients need of the records, taken out of what is stored.

extension TabletAlias {
    /// `nil` for an alias of cell "" and uid 0, which means none.
    init?(_ alias: Topodata_TabletAlias) {
        if alias.cell.isEmpty, alias.uid == 0 { return nil }
        self.init(cell: alias.cell, uid: alias.uid)
    }
}

extension ShardRecord {
    init(_ shard: Topodata_Shard) {
        self.init(primary: TabletAlias(shard.primaryAlias))
    }
}

extension TabletRecord {
    init(_ tablet: Topodata_Tablet) {
        self.init(
            alias: TabletAlias(tablet.alias) ?? TabletAlias(cell: "", uid: 0),
            kind: Kind(rawValue: tablet.type.rawValue) ?? .unknown,
            keyspace: tablet.keyspace,
            shard: tablet.shard,
            mysqlHostname: tablet.mysqlHostname,
            mysqlPort: Int(tablet.mysqlPort),
            hostname: tablet.hostname,
            ports: tablet.portMap.mapValues(Int.init),
            // The zero time of Go programs says that it is not set.
            isShutDown: tablet.hasTabletShutdownTime && tablet.tabletShutdownTime.seconds != -62_135_596_800
        )
    }
}

extension CellRecord {
    init(_ cell: Topodata_CellInfo) {
        self.init(serverAddress: cell.serverAddress, root: cell.root)
    }
}
