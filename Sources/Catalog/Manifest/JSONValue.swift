/// A JSON document from storage, read as Go's decoder reads it: untyped, keys looked up without regard to case.
enum JSONValue: Decodable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let string = try? container.decode(String.self) {
            self = .string(string)
        } else if let object = try? container.decode([String: JSONValue].self) {
            self = .object(object)
        } else if let bool = try? container.decode(Bool.self) {
            self = .bool(bool)
        } else if let integer = try? container.decode(Int64.self) {
            self = .integer(integer)
        } else if let array = try? container.decode([JSONValue].self) {
            self = .array(array)
        } else {
            self = .number(try container.decode(Double.self))
        }
    }
}

/// One JSON object with typed look-ups: a missing or null key is the zero value, a wrong type is an error.
struct JSONFields {
    private let exact: [String: JSONValue]
    private let folded: [String: JSONValue]
    private let path: String

    init(_ value: JSONValue, path: String) throws(CatalogError) {
        guard case .object(let fields) = value else { throw CatalogError("\(path) is not a JSON object") }
        exact = fields
        var folded = Dictionary(fields.map { ($0.key.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first })
        if folded.count < fields.count {
            // Two spellings of a key: which one counts must not depend on the order that hashing gives.
            for (key, value) in fields.sorted(by: { $0.key > $1.key }) { folded[key.lowercased()] = value }
        }
        self.folded = folded
        self.path = path
    }

    func string(_ key: String) throws(CatalogError) -> String {
        switch value(key) {
        case nil: return ""
        case .string(let string)?: return string
        case .some: throw wrongType(key, "a string")
        }
    }

    func bool(_ key: String) throws(CatalogError) -> Bool {
        switch value(key) {
        case nil: return false
        case .bool(let bool)?: return bool
        case .some: throw wrongType(key, "true or false")
        }
    }

    func integer(_ key: String) throws(CatalogError) -> Int64 {
        switch value(key) {
        case nil: return 0
        case .integer(let integer)?: return integer
        case .some: throw wrongType(key, "a whole number")
        }
    }

    func array(_ key: String) throws(CatalogError) -> [JSONValue] {
        switch value(key) {
        case nil: return []
        case .array(let array)?: return array
        case .some: throw wrongType(key, "a list")
        }
    }

    func object(_ key: String) throws(CatalogError) -> JSONFields? {
        guard let value = value(key) else { return nil }
        return try JSONFields(value, path: "\(path) key \(key)")
    }

    func has(_ key: String) -> Bool { value(key) != nil }

    private func value(_ key: String) -> JSONValue? {
        guard let value = exact[key] ?? folded[key.lowercased()] else { return nil }
        if case .null = value { return nil }
        return value
    }

    private func wrongType(_ key: String, _ expected: String) -> CatalogError {
        CatalogError("\(path) key \(key) is not \(expected)")
    }
}
