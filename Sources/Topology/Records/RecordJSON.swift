import Catalog
import FoundationEssentials

// Records in protobuf's JSON form: proto or camel-case field names, numbers possibly as strings, enumerations by name or
// number. Unknown fields are ignored on reading.

struct FieldName: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension KeyedDecodingContainer<FieldName> {
    /// The name under which a field is there: as in the proto file, or in camel case.
    private func present(_ name: String) -> FieldName? {
        var words = name.split(separator: "_").map(String.init)
        for index in words.indices.dropFirst() {
            words[index] = words[index].prefix(1).uppercased() + words[index].dropFirst()
        }
        for candidate in [FieldName(name), FieldName(words.joined())] where contains(candidate) {
            if (try? decodeNil(forKey: candidate)) == true { return nil }
            return candidate
        }
        return nil
    }

    func text(_ name: String) throws -> String {
        guard let key = present(name) else { return "" }
        return try decode(String.self, forKey: key)
    }

    func number(_ name: String) throws -> Int {
        guard let key = present(name) else { return 0 }
        if let text = try? decode(String.self, forKey: key) {
            guard let number = Int(text) else {
                throw DecodingError.dataCorruptedError(
                    forKey: key,
                    in: self,
                    debugDescription: "\(name) is not a number"
                )
            }
            return number
        }
        return try decode(Int.self, forKey: key)
    }

    func message<Message: Decodable>(_ name: String, _ type: Message.Type) throws -> Message? {
        guard let key = present(name) else { return nil }
        return try decode(Message.self, forKey: key)
    }
}

struct AliasJSON: Decodable {
    var alias: TabletAlias?

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: FieldName.self)
        let (cell, uid) = (try fields.text("cell"), try fields.number("uid"))
        guard let uid = UInt32(exactly: uid) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "uid \(uid) is out of range")
            )
        }
        // An alias of cell "" and uid 0 means none.
        alias = cell.isEmpty && uid == 0 ? nil : TabletAlias(cell: cell, uid: uid)
    }
}

struct ShardJSON: Decodable {
    var record: ShardRecord

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: FieldName.self)
        record = ShardRecord(primary: try fields.message("primary_alias", AliasJSON.self)?.alias)
    }
}

struct TabletJSON: Decodable {
    var record: TabletRecord

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: FieldName.self)
        let ports = try fields.message("port_map", [String: PortJSON].self) ?? [:]
        record = TabletRecord(
            alias: try fields.message("alias", AliasJSON.self)?.alias ?? TabletAlias(cell: "", uid: 0),
            kind: try fields.message("type", KindJSON.self)?.kind ?? .unknown,
            keyspace: try fields.text("keyspace"),
            shard: try fields.text("shard"),
            mysqlHostname: try fields.text("mysql_hostname"),
            mysqlPort: try fields.number("mysql_port"),
            hostname: try fields.text("hostname"),
            ports: ports.mapValues(\.port)
        )
    }
}

struct PortJSON: Decodable {
    var port: Int

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            guard let port = Int(text) else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "port is not a number")
            }
            self.port = port
        } else {
            port = try container.decode(Int.self)
        }
    }
}

struct KindJSON: Decodable {
    var kind: TabletRecord.Kind

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let name = try? container.decode(String.self) {
            guard let kind = TabletRecord.Kind(name: name) else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "unknown TabletType \(name)")
            }
            self.kind = kind
        } else {
            kind = TabletRecord.Kind(rawValue: try container.decode(Int.self)) ?? .unknown
        }
    }
}

struct ReplicationJSON: Decodable {
    struct Node: Decodable {
        var alias: TabletAlias?

        init(from decoder: any Decoder) throws {
            alias = try decoder.container(keyedBy: FieldName.self).message("tablet_alias", AliasJSON.self)?.alias
        }
    }

    var aliases: [TabletAlias]

    init(from decoder: any Decoder) throws {
        aliases = try (decoder.container(keyedBy: FieldName.self).message("nodes", [Node].self) ?? []).compactMap(
            \.alias
        )
    }
}

/// Decodes a record.
/// - Throws: ``TopologyError`` with code `damagedRecord` that names path and cell. An empty file has all defaults.
func decodeRecord<Record: Decodable>(
    _ type: Record.Type,
    _ bytes: [UInt8],
    _ path: String,
    _ cell: TopologyCell
) throws -> Record {
    do {
        return try JSONDecoder().decode(type, from: Data(bytes.isEmpty ? Array("{}".utf8) : bytes))
    } catch let error as DecodingError {
        let what =
            switch error {
            case .dataCorrupted(let context), .keyNotFound(_, let context), .typeMismatch(_, let context),
                .valueNotFound(_, let context):
                context.debugDescription
            @unknown default: "it does not decode"
            }
        throw TopologyError(.damagedRecord, "damaged record \(path) in cell \(cell): \(what)")
    }
}
