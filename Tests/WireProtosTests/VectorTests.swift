import FoundationEssentials
import SwiftProtobuf
import Testing
import WireProtos

/// Messages as other programs write them.
@Suite("wire vectors")
struct VectorTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        var mark: Character
        var message: String
        var bytes: [UInt8]
        var json: String
        var testDescription: String { "\(message) \(json)" }
    }

    private static let types: [String: any Message.Type] = [
        "topodata.CellInfo": Topodata_CellInfo.self,
        "topodata.Keyspace": Topodata_Keyspace.self,
        "topodata.Shard": Topodata_Shard.self,
        "topodata.ShardReplication": Topodata_ShardReplication.self,
        "topodata.Tablet": Topodata_Tablet.self,
        "vttime.Time": Vttime_Time.self,
        "vttime.Duration": Vttime_Duration.self,
        "tabletmanagerdata.BackupRequest": Tabletmanagerdata_BackupRequest.self,
        "tabletmanagerdata.BackupResponse": Tabletmanagerdata_BackupResponse.self,
        "tabletmanagerdata.PrimaryPositionResponse": Tabletmanagerdata_PrimaryPositionResponse.self,
        "tabletmanagerdata.RestoreFromBackupRequest": Tabletmanagerdata_RestoreFromBackupRequest.self,
        "tabletmanagerdata.RestoreFromBackupResponse": Tabletmanagerdata_RestoreFromBackupResponse.self,
    ]

    static let vectors: [Vector] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/vectors.txt")
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let fields = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
            let digits = Array(fields[2])
            let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
                UInt8(String(digits[$0..<$0 + 2]), radix: 16)
            }
            return Vector(mark: Character(fields[0]), message: fields[1], bytes: bytes, json: fields[3])
        }
    }()

    @Test("there are some")
    func count() { #expect(Self.vectors.count > 35) }

    @Test("say what they mean, and come through a rewrite", arguments: vectors)
    func vector(_ vector: Vector) throws {
        let type: any Message.Type = try #require(Self.types[vector.message])
        try check(vector, type)
    }

    private func check<Record: Message>(_ vector: Vector, _ type: Record.Type) throws {
        if vector.mark == "!" {
            #expect(throws: (any Error).self) { try Record(serializedBytes: vector.bytes) }
            return
        }
        let decoded = try Record(serializedBytes: vector.bytes)
        let expected = try Record(jsonString: vector.json)
        if vector.mark == "=" {
            #expect(decoded.isEqualTo(message: expected))
        } else {
            #expect(!decoded.isEqualTo(message: expected), "its unknown fields are kept")
            // Known fields, as text: unknown ones are told by number.
            for line in expected.textFormatString().split(separator: "\n") {
                #expect(decoded.textFormatString().contains(line))
            }
        }
        let again: [UInt8] = try decoded.serializedBytes()
        #expect(try Record(serializedBytes: again).isEqualTo(message: decoded))
        if vector.mark == "+" { #expect(again.count == vector.bytes.count) }
    }

    @Test("a record whose known field has another wire type is kept as it is, not taken for something else")
    func otherWireType() throws {
        let bytes: [UInt8] = [0x40, 0x02, 0x48, 0x00]
        let tablet = try? Topodata_Tablet(serializedBytes: bytes)
        #expect(tablet?.dbNameOverride ?? "" == "")
    }
}
