import FoundationEssentials

/// How records of ours are written into notes: for people too, with times in RFC 3339.
package enum NoteJSON {
    /// Reads a record.
    /// - Returns: `nil` for what does not decode: a note is untrusted, and what is none of ours counts as absent.
    package static func decode<Record: Decodable>(_ type: Record.Type, _ bytes: [UInt8]) -> Record? {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return try? decoder.decode(type, from: Data(bytes))
    }

    /// Writes a record.
    package static func encode(_ record: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(record))
    }
}
