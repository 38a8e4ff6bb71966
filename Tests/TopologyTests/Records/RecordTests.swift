import SwiftProtobuf
import Testing
import Vocabulary
import WireProtos

@testable import Topology

@Suite("Topology records")
struct RecordTests {
    private func decode<Record: Message>(_ type: Record.Type, _ text: String) throws -> Record {
        try RecordCoding.json.decode(type, Array(text.utf8), "some/Record", .cell("zone1"))
    }

    private func tablet(_ text: String) throws -> TabletRecord { TabletRecord(try decode(Topodata_Tablet.self, text)) }

    private func aliases(_ text: String) throws -> [TabletAlias] {
        try decode(Topodata_ShardReplication.self, text).nodes.compactMap { TabletAlias($0.tabletAlias) }
    }

    struct Spelling: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var text: String
    }

    private static let full = TabletRecord(
        alias: TabletAlias(cell: "zone1", uid: 100),
        kind: .replica,
        keyspace: "commerce",
        shard: "-80",
        mysqlHostname: "db1",
        mysqlPort: 3306,
        hostname: "host1",
        ports: ["vt": 15_100, "grpc": 16_100]
    )

    @Test(
        "a tablet, in every spelling of protobuf's JSON",
        arguments: [
            Spelling(
                testDescription: "proto names",
                text: """
                    {"alias": {"cell": "zone1", "uid": 100}, "hostname": "host1", "port_map": {"vt": 15100, "grpc": 16100},
                     "keyspace": "commerce", "shard": "-80", "type": "REPLICA", "mysql_hostname": "db1", "mysql_port": 3306}
                    """
            ),
            Spelling(
                testDescription: "camel case",
                text: """
                    {"alias": {"cell": "zone1", "uid": 100}, "hostname": "host1", "portMap": {"vt": 15100, "grpc": 16100},
                     "keyspace": "commerce", "shard": "-80", "type": "REPLICA", "mysqlHostname": "db1", "mysqlPort": 3306}
                    """
            ),
            Spelling(
                testDescription: "numbers as strings, the enumeration by number, unknown and null fields",
                text: """
                    {"alias": {"cell": "zone1", "uid": "100", "future": [1, {"a": null}]}, "hostname": "host1",
                     "port_map": {"vt": "15100", "grpc": "16100"}, "keyspace": "commerce", "shard": "-80", "type": 2,
                     "mysql_hostname": "db1", "mysql_port": "3306", "key_range": null, "tags": {"a": "b"},
                     "primary_term_start_time": {"seconds": "1700000000"}, "db_name_override": null}
                    """
            ),
        ]
    )
    func spellings(_ spelling: Spelling) throws {
        #expect(try tablet(spelling.text) == Self.full)
    }

    @Test("an empty record has all defaults, so has an empty file", arguments: ["{}", ""])
    func defaults(text: String) throws {
        let expected = TabletRecord(
            alias: TabletAlias(cell: "", uid: 0),
            kind: .unknown,
            keyspace: "",
            shard: "",
            mysqlHostname: "",
            mysqlPort: 0
        )
        #expect(try tablet(text) == expected)
        #expect(ShardRecord(try decode(Topodata_Shard.self, text)) == ShardRecord(primary: nil))
        #expect(try aliases(text).isEmpty)
    }

    struct Primary: Sendable, CustomTestStringConvertible {
        var text: String
        var alias: TabletAlias?
        var testDescription: String { text }
    }

    @Test(
        "a shard's primary, or none",
        arguments: [
            Primary(
                text: #"{"primary_alias": {"cell": "zone1", "uid": 7}}"#,
                alias: TabletAlias(cell: "zone1", uid: 7)
            ),
            Primary(
                text: #"{"primaryAlias": {"cell": "zone1", "uid": "7"}}"#,
                alias: TabletAlias(cell: "zone1", uid: 7)
            ),
            Primary(text: #"{"primary_alias": {"cell": "zone1"}}"#, alias: TabletAlias(cell: "zone1", uid: 0)),
            Primary(
                text: #"{"primary_alias": {"cell": "zone1", "uid": 4294967295}}"#,
                alias: TabletAlias(cell: "zone1", uid: .max)
            ),
            Primary(text: #"{"primary_alias": {"cell": "", "uid": 0}}"#, alias: nil),
            Primary(text: #"{"primary_alias": {}}"#, alias: nil),
            Primary(text: #"{"primary_alias": null}"#, alias: nil),
            Primary(text: #"{"is_primary_serving": true, "source_shards": []}"#, alias: nil),
        ]
    )
    func primary(_ test: Primary) throws {
        #expect(ShardRecord(try decode(Topodata_Shard.self, test.text)).primary == test.alias)
    }

    @Test("replication lists the tablets, leaving out empty aliases")
    func replication() throws {
        let text = #"""
            {"nodes": [{"tablet_alias": {"cell": "b", "uid": 2}}, {"tabletAlias": {"cell": "a", "uid": "1"}}, {}, {"tablet_alias": {}}]}
            """#
        #expect(
            try aliases(text)
                == [TabletAlias(cell: "b", uid: 2), TabletAlias(cell: "a", uid: 1)]
        )
    }

    @Test(
        "damage is an error that names record and cell",
        arguments: [
            "{", "[]", "null", "17", "not JSON", #"{"alias": 1}"#, #"{"alias": {"cell": 1}}"#,
            #"{"mysql_port": "many"}"#,
            #"{"mysql_port": 1.5}"#, #"{"mysql_port": true}"#, #"{"hostname": ["a"]}"#,
            #"{"alias": {"cell": "a", "uid": -1}}"#, #"{"alias": {"cell": "a", "uid": 4294967296}}"#,
            #"{"alias": {"cell": "a", "uid": "x"}}"#, #"{"port_map": {"vt": "many"}}"#, #"{"port_map": {"vt": null}}"#,
            #"{"port_map": [1]}"#,
        ]
    )
    func damaged(text: String) {
        let error = #expect(throws: TopologyError.self) { try tablet(text) }
        #expect(error?.code == .damagedRecord)
        #expect(error?.message.hasPrefix("damaged record some/Record in cell zone1: ") == true)
    }

    @Test("bytes that are not UTF-8 are damage")
    func notUTF8() {
        let error = #expect(throws: TopologyError.self) {
            try RecordCoding.json.decode(Topodata_Shard.self, [0x7b, 0xff, 0x7d], "some/Record", .global)
        }
        #expect(error?.code == .damagedRecord)
        #expect(error?.message.contains("in cell global") == true)
    }

    struct KindCase: Sendable, CustomTestStringConvertible {
        var name: String
        var number: Int
        var kind: TabletRecord.Kind
        var isServing = false
        var testDescription: String { name }
    }

    @Test(
        "types of tablets, by name and number",
        arguments: [
            KindCase(name: "UNKNOWN", number: 0, kind: .unknown),
            KindCase(name: "PRIMARY", number: 1, kind: .primary, isServing: true),
            KindCase(name: "MASTER", number: 1, kind: .primary, isServing: true),
            KindCase(name: "REPLICA", number: 2, kind: .replica, isServing: true),
            KindCase(name: "RDONLY", number: 3, kind: .rdonly, isServing: true),
            KindCase(name: "BATCH", number: 3, kind: .rdonly, isServing: true),
            KindCase(name: "SPARE", number: 4, kind: .spare),
            KindCase(name: "EXPERIMENTAL", number: 5, kind: .experimental),
            KindCase(name: "BACKUP", number: 6, kind: .backup),
            KindCase(name: "RESTORE", number: 7, kind: .restore),
            KindCase(name: "DRAINED", number: 8, kind: .drained),
        ]
    )
    func kinds(_ test: KindCase) throws {
        #expect(TabletRecord.Kind(name: test.name) == test.kind)
        #expect(TabletRecord.Kind(name: test.name.lowercased()) == test.kind)
        #expect(try tablet("{\"type\": \(test.number)}").kind == test.kind)
        #expect(test.kind.isServing == test.isServing)
    }

    @Test("a type that a later version added is unknown, not damage", arguments: ["99", #""KING""#])
    func laterKind(type: String) throws {
        #expect(try tablet("{\"type\": \(type)}").kind == .unknown)
    }
}
