import FoundationEssentials
import SwiftProtobuf

/// How records are coded in a store; each store has one way.
package enum RecordCoding: Hashable, Sendable {
    /// Protobuf's JSON form with proto field names: for stores that people edit.
    case json
    /// Protobuf's bytes, as in every store of Vitess.
    case binary

    /// Decodes a record; a file without content has all defaults.
    ///
    /// Fields that we do not know are kept by binary records, and skipped in JSON.
    /// - Throws: ``TopologyError`` with code `damagedRecord` that names path and cell.
    func decode<Record: Message>(
        _ type: Record.Type,
        _ bytes: [UInt8],
        _ path: String,
        _ cell: TopologyCell
    ) throws(TopologyError) -> Record {
        do {
            switch self {
            case .binary: return try Record(serializedBytes: bytes)
            case .json:
                var options = JSONDecodingOptions()
                options.ignoreUnknownFields = true
                return bytes.isEmpty ? Record() : try Record(jsonUTF8Bytes: bytes, options: options)
            }
        } catch {
            let form = self == .json ? "JSON" : "protobuf"
            throw TopologyError(
                .damagedRecord,
                "damaged record \(path) in cell \(cell): it is no \(Record.protoMessageName) in \(form) (\(error)); HINT: compare it with the records beside it, another program may have written it"
            )
        }
    }

    /// Codes a record.
    func encode(_ record: some Message) throws -> [UInt8] {
        switch self {
        case .binary: return try record.serializedBytes()
        case .json:
            var options = JSONEncodingOptions()
            options.preserveProtoFieldNames = true
            return try record.jsonUTF8Bytes(options: options)
        }
    }
}
