import Foundation
import SwiftProtobuf
import Testing
import Vocabulary
import WireProtos

@testable import Topology

/// Records of clusters of the real Vitess 24.0.4 in etcd, Consul and ZooKeeper, also as they changed.
@Suite("topology records of the real Vitess")
struct GoldenRecordTests {
    struct Record: Sendable, CustomTestStringConvertible {
        var source: String
        var path: String
        var bytes: [UInt8]
        var testDescription: String { "\(source): \(path)" }
    }

    private static let records = (try? all()) ?? []

    private static func file(_ name: String) throws -> Data {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try Data(contentsOf: folder.appending(path: "Fixtures/vitess-24.0.4/\(name)"))
    }

    private static func lines(_ name: String) throws -> [[String]] {
        String(decoding: try file(name), as: UTF8.self).split(separator: "\n").map {
            $0.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        }
    }

    private static func all() throws -> [Record] {
        var records: [Record] = []
        func add(_ source: String, _ path: String, base64 text: String) throws {
            let bytes = try #require(Data(base64Encoded: text), "\(source): \(path)")
            records.append(Record(source: source, path: path, bytes: [UInt8](bytes)))
        }
        for words in try lines("etcd.txt") { try add("etcd", words[0], base64: words[1]) }
        for name in ["1-cell", "2-shard", "3-running"] {
            let text = String(decoding: try file("consul-\(name).txt"), as: UTF8.self)
            for match in text.matches(of: /"Key": "([^"]*)",\s*"Flags": 0,\s*"Value": "([^"]*)"/) {
                try add("consul", "/\(match.1)", base64: String(match.2))
            }
            for words in try lines("zookeeper-\(name).txt") {
                // Folders have no data.
                guard let value = words.last, value != "None", words[0] != "/" else { continue }
                try add("zookeeper", words[0], base64: value)
            }
        }
        let lock = try #require(try lines("zookeeper-lock.txt").last)
        try add("zookeeper", lock[0], base64: lock[lock.count - 1])
        return records + (try watched())
    }

    /// What `etcdctl watch` printed: `PUT`, key, the bytes of the value, each with a line's end.
    private static func watched() throws -> [Record] {
        var events: [(key: String, value: Data)] = []
        let lines = try file("etcd-watch.txt").split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        var index = 0
        while index < lines.count - 1 {
            let word = String(decoding: lines[index], as: UTF8.self)
            if word == "PUT" || word == "DELETE" {
                events.append((String(decoding: lines[index + 1], as: UTF8.self), Data()))
                index += 2
                var parts: [Data] = []
                while index < lines.count, !["PUT", "DELETE"].contains(String(decoding: lines[index], as: UTF8.self)) {
                    parts.append(Data(lines[index]))
                    index += 1
                }
                if index == lines.count, parts.last?.isEmpty == true { parts.removeLast() }
                events[events.count - 1].value = Data(parts.joined(separator: [UInt8(ascii: "\n")]))
            }
        }
        return events.enumerated().map {
            Record(source: "etcd, change \($0.offset)", path: $0.element.key, bytes: [UInt8]($0.element.value))
        }
    }

    @Test("there are as many as were recorded")
    func count() {
        #expect(Self.records.count == 77)
        #expect(
            Set(Self.records.map { String($0.path.split(separator: "/").last ?? "") }).isSuperset(of: [
                "CellInfo", "Keyspace", "Shard", "Tablet", "ShardReplication", "SrvKeyspace", "SrvVSchema", "VSchema",
            ])
        )
    }

    @Test("are decoded and keep their bytes", arguments: records)
    func keepBytes(_ record: Record) throws {
        switch record.path.split(separator: "/").last ?? "" {
        case "CellInfo":
            let cell = try keeping(Topodata_CellInfo.self, record)
            #expect(CellRecord(cell).root == "/vitess/zone1" || CellRecord(cell).root == "vitess/zone1")
        case "Keyspace":
            #expect(["none", "semi_sync"].contains(try keeping(Topodata_Keyspace.self, record).durabilityPolicy))
        case "Shard":
            let primary = ShardRecord(try keeping(Topodata_Shard.self, record)).primary
            #expect(primary == nil || primary?.cell == "zone1")
        case "ShardReplication":
            #expect(try !keeping(Topodata_ShardReplication.self, record).nodes.isEmpty)
        case "Tablet":
            let tablet = TabletRecord(try keeping(Topodata_Tablet.self, record))
            #expect("\(tablet.alias)" == record.path.split(separator: "/").dropLast().last.map(String.init))
            #expect((tablet.keyspace, tablet.shard, tablet.mysqlHostname) == ("commerce", "0", "127.0.0.1"))
            #expect(tablet.kind != .unknown)
        case "SrvKeyspace", "SrvVSchema", "VSchema":
            // Records that we have no message for: unknown fields stay what they are.
            _ = try keeping(Google_Protobuf_Empty.self, record)
        default:
            #expect(record.path.contains("/locks/"))
            // A lock that was given back has no contents any more.
            if !record.bytes.isEmpty { #expect(LockRecord.holder(in: record.bytes).contains("vt on vm")) }
        }
    }

    /// Decodes a record and expects the same fields when it is encoded again: a map has no order, not even for Vitess.
    private func keeping<Message: SwiftProtobuf.Message>(_ type: Message.Type, _ record: Record) throws -> Message {
        let message = try RecordCoding.binary.decode(type, record.bytes, record.path, .global)
        let encoded = try RecordCoding.binary.encode(message)
        #expect(encoded.count == record.bytes.count)
        #expect(fields(encoded) == fields(record.bytes))
        if !(message is Topodata_Tablet) { #expect(encoded == record.bytes) }
        return message
    }

    /// The fields of a message, each with its number, sorted: what is left when their order does not count.
    private func fields(_ bytes: [UInt8]) -> [[UInt8]] {
        var (fields, rest) = ([[UInt8]](), bytes[...])
        func varint() -> Int {
            var (value, shift) = (0, 0)
            while let byte = rest.popFirst() {
                value |= Int(byte & 0x7f) << shift
                shift += 7
                if byte < 0x80 { break }
            }
            return value
        }
        while !rest.isEmpty {
            let field = rest
            let tag = varint()
            // Numbers and what has a length: these records have no other fields.
            let value = varint()
            if tag & 7 == 2 { rest = rest.dropFirst(value) }
            fields.append(Array(field.prefix(field.count - rest.count)))
        }
        return fields.sorted { $0.lexicographicallyPrecedes($1) }
    }
}
