import FoundationEssentials

/// The blocks of a PEM file, whatever the length of its lines.
struct PEMBlocks {
    /// Why a text is none.
    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    private let blocks: [(kind: String, bytes: [UInt8])]

    /// Reads every block; text around them is no part of it.
    /// - Throws: ``Refusal`` for a block that does not end, or holds no base64: half a file is none.
    init(_ text: String) throws {
        var blocks: [(kind: String, bytes: [UInt8])] = []
        var open: (kind: String, base64: String)?
        for line in text.split(whereSeparator: \.isNewline).map({ $0.trimmingWhitespace }) where !line.isEmpty {
            if let kind = Self.label(line, "BEGIN") {
                guard open == nil else {
                    throw Refusal(description: "it is no PEM file: a block begins inside another")
                }
                open = (kind, "")
            } else if let kind = Self.label(line, "END") {
                guard let block = open, block.kind == kind, let bytes = Data(base64Encoded: block.base64) else {
                    throw Refusal(description: "it is no PEM file: block \(kind) is damaged")
                }
                blocks.append((kind, Array(bytes)))
                open = nil
            } else {
                open?.base64 += line
            }
        }
        guard open == nil else { throw Refusal(description: "it is no PEM file: block \(open?.kind ?? "") has no end") }
        self.blocks = blocks
    }

    /// The content of all blocks of one kind, in their order.
    func contents(of kind: String) -> [[UInt8]] { blocks.filter { $0.kind == kind }.map(\.bytes) }

    private static func label(_ line: Substring, _ word: String) -> String? {
        guard line.hasPrefix("-----\(word) "), line.hasSuffix("-----"), line.utf8.count > 15 else { return nil }
        return String(line.dropFirst(word.utf8.count + 6).dropLast(5))
    }
}

extension Substring {
    fileprivate var trimmingWhitespace: Substring {
        var rest = drop(while: \.isWhitespace)
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return rest
    }
}
