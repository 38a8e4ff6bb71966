/// Writes JSON exactly as Vitess does (Go's encoder, two-space indent): key order is call order, `<`, `>`, `&` and the
/// line separators U+2028/2029 are escaped, no final newline.
package struct GoJSONWriter {
    /// What was written so far and not given away.
    package private(set) var bytes: [UInt8] = []
    private let give: (([UInt8]) -> Void)?
    private var depth = 0
    private var needsComma = false

    /// Bytes that are gathered before they are given away.
    private static let pieceSize = 1 << 16

    /// Begins an empty document, which will be in ``bytes``.
    package init() {
        give = nil
    }

    /// Begins an empty document that is given away in pieces.
    package init(givingTo give: @escaping ([UInt8]) -> Void) {
        self.give = give
        bytes.reserveCapacity(2 * Self.pieceSize)
    }

    /// Gives away what is left.
    package mutating func finish() {
        guard let give, !bytes.isEmpty else { return }
        give(bytes)
        bytes.removeAll(keepingCapacity: true)
    }

    /// Writes an object whose fields `fields` writes.
    package mutating func object(_ fields: (inout GoJSONWriter) -> Void) {
        nest("{", "}", fields)
    }

    /// Writes a list, each element by `write`; an empty one in one line.
    package mutating func array<Element>(_ elements: [Element], _ write: (inout GoJSONWriter, Element) -> Void) {
        if elements.isEmpty {
            append("[]")
            return
        }
        nest("[", "]") { writer in
            for element in elements {
                writer.separate()
                write(&writer, element)
            }
        }
    }

    /// Writes a key; its value comes next.
    package mutating func key(_ name: String) {
        separate()
        quote(name)
        append(": ")
    }

    /// Writes a field.
    package mutating func field(_ name: String, _ value: String) {
        key(name)
        quote(value)
    }

    /// Writes a field.
    package mutating func field(_ name: String, _ value: Bool) {
        key(name)
        append(value ? "true" : "false")
    }

    /// Writes a field.
    package mutating func field(_ name: String, _ value: Int64) {
        key(name)
        append(String(value))
    }

    /// Writes a field without a value.
    package mutating func null(_ name: String) {
        key(name)
        append("null")
    }

    private mutating func nest(_ open: String, _ close: String, _ body: (inout GoJSONWriter) -> Void) {
        append(open)
        depth += 1
        needsComma = false
        body(&self)
        depth -= 1
        // What has nothing in it stays on its line.
        if needsComma { newline() }
        append(close)
        needsComma = true
    }

    private mutating func separate() {
        if give != nil, bytes.count >= Self.pieceSize { finish() }
        if needsComma { append(",") }
        newline()
        needsComma = true
    }

    private mutating func newline() {
        append("\n" + String(repeating: "  ", count: depth))
    }

    private mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func quote(_ text: String) {
        append("\"")
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": append("\\\"")
            case "\\": append("\\\\")
            case "\n": append("\\n")
            case "\r": append("\\r")
            case "\t": append("\\t")
            case "\u{8}": append("\\b")
            case "\u{c}": append("\\f")
            case "<", ">", "&", "\u{2028}", "\u{2029}": append(escape(scalar))
            default: scalar.value < 0x20 ? append(escape(scalar)) : bytes.append(contentsOf: String(scalar).utf8)
            }
        }
        append("\"")
    }

    private func escape(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
