import Vocabulary

/// Some elements of `FileEntries`.
struct FileEntryBatch: Decodable {
    let entries: [FileEntry]

    init(from decoder: any Decoder) throws {
        entries = try ElementFields.each(of: "FileEntries", in: decoder, FileEntry.init)
    }
}

/// Some elements of `Extensions.Files`.
struct FileSizesBatch: Decodable {
    let sizes: [FileEntry.Sizes]

    init(from decoder: any Decoder) throws {
        sizes = try ElementFields.each(of: "Extensions.Files", in: decoder) { fields, _ in
            FileEntry.Sizes(raw: try fields.integer("Size"), stored: try fields.integer("StoredSize"))
        }
    }
}

extension CodingUserInfoKey {
    /// Index of a batch's first element in its list.
    static var firstIndex: CodingUserInfoKey {
        guard let key = CodingUserInfoKey(rawValue: "firstIndex") else { preconditionFailure("any text is a key") }
        return key
    }
}

/// The fields of one element of a list, looked up as ``JSONFields`` does: a missing or null key is the zero value, a wrong
/// type is an error, and case does not matter.
///
/// Decoded at once, and not by way of ``JSONValue``: there may be 200,000 of them.
struct ElementFields {
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) {
            self.stringValue = stringValue
        }

        init?(intValue: Int) { nil }
    }

    private let container: KeyedDecodingContainer<Key>
    let path: String

    /// The elements of the array that `decoder` stands before.
    static func each<Element>(
        of list: String,
        in decoder: any Decoder,
        _ make: (ElementFields, Int) throws -> Element
    ) throws -> [Element] {
        let first = decoder.userInfo[.firstIndex] as? Int ?? 0
        var container = try decoder.unkeyedContainer()
        var elements: [Element] = []
        while !container.isAtEnd {
            let index = first + container.currentIndex
            let path = "MANIFEST \(list)[\(index)]"
            elements.append(try make(try Self.next(of: &container, path), index))
        }
        return elements
    }

    private static func next(of container: inout any UnkeyedDecodingContainer, _ path: String) throws -> ElementFields {
        do {
            return ElementFields(container: try container.nestedContainer(keyedBy: Key.self), path: path)
        } catch DecodingError.typeMismatch, DecodingError.valueNotFound {
            throw CatalogError("\(path) is not a JSON object")
        }
    }

    func string(_ key: String) throws -> String { try value(String.self, key, "a string") ?? "" }

    func integer(_ key: String) throws -> Int64 { try value(Int64.self, key, "a whole number") ?? 0 }

    /// The objects in a list.
    func objects(_ key: String) throws -> [ElementFields] {
        guard let found = find(key), try !container.decodeNil(forKey: found) else { return [] }
        guard var list = try? container.nestedUnkeyedContainer(forKey: found) else { throw wrongType(key, "a list") }
        var objects: [ElementFields] = []
        while !list.isAtEnd { objects.append(try Self.next(of: &list, "\(path).\(key)[\(list.currentIndex)]")) }
        return objects
    }

    private func value<Value: Decodable>(_ type: Value.Type, _ key: String, _ expected: String) throws -> Value? {
        guard let found = find(key) else { return nil }
        do {
            return try container.decodeIfPresent(type, forKey: found)
        } catch {
            throw wrongType(key, expected)
        }
    }

    private func find(_ key: String) -> Key? {
        let exact = Key(stringValue: key)
        if container.contains(exact) { return exact }
        let folded = key.lowercased()
        return container.allKeys.filter { $0.stringValue.lowercased() == folded }
            .min { $0.stringValue < $1.stringValue }
    }

    private func wrongType(_ key: String, _ expected: String) -> CatalogError {
        CatalogError("\(path) key \(key) is not \(expected)")
    }
}

extension FileEntry {
    fileprivate init(_ fields: ElementFields, index: Int) throws {
        let name = try fields.string("Name")
        let baseText = try fields.string("Base")
        guard let base = BaseDirectory(rawValue: baseText) ?? (name.isEmpty ? .data : nil) else {
            throw CatalogError("\(fields.path): unknown base: \(PrintableText.excerpt(baseText))")
        }
        guard name.isEmpty || Self.isSafe(name: name) else {
            throw CatalogError(
                "\(fields.path): cannot evaluate full name for \(PrintableText.excerpt(name)): invalid joined path"
            )
        }
        let chunks = try Self.chunks(fields, index: index)
        var hash: UInt32 = 0
        if chunks.isEmpty, !name.isEmpty { hash = try Self.hash(fields) }
        self.init(base: base, name: name, hash: hash, chunks: chunks)
    }

    private static func hash(_ fields: ElementFields) throws -> UInt32 {
        let text = try fields.string("Hash")
        guard text.utf8.count == 8, text.first?.isHexDigit == true, let hash = UInt32(text, radix: 16) else {
            throw CatalogError(
                "\(fields.path) key Hash is not eight hexadecimal digits: \"\(PrintableText.excerpt(text))\""
            )
        }
        return hash
    }

    /// Chunks in file order; they must be named after their file and cover it without a gap.
    private static func chunks(_ fields: ElementFields, index: Int) throws -> [Chunk] {
        var chunks = try fields.objects("Chunks").map { fields in
            Chunk(
                storageName: try fields.string("StorageName"),
                offset: try fields.integer("Offset"),
                size: try fields.integer("Size"),
                hash: try hash(fields)
            )
        }
        chunks.sort { $0.offset < $1.offset }
        var end: Int64 = 0
        for (number, chunk) in chunks.enumerated() {
            guard chunk.offset == end, chunk.size > 0, chunk.size < (1 << 50) - end,
                chunk.storageName == "\(index)-\(number)"
            else {
                throw CatalogError(
                    "\(fields.path): chunk \(PrintableText.excerpt(chunk.storageName)) does not continue the file at byte \(end)"
                )
            }
            end += chunk.size
        }
        return chunks
    }
}
