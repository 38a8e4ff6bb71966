/// Cuts a MANIFEST, as its bytes arrive, into its head and the elements of its two long lists, `FileEntries` and
/// `Extensions.Files`.
///
/// A JSON decoder wants the whole document in memory and takes several times its size; the lists of a server with 200,000
/// tables have 40 MB. The head is the document with both lists empty.
struct ManifestSplitter {
    /// A list whose elements are handed on in batches.
    enum List: String {
        case files = "fileentries"
        case sizes = "files"
    }

    /// Bytes of a batch; a few hundred elements.
    static let batchSize = 1 << 15
    /// More than any position and all else but the lists; also the limit of one element.
    static let maximumPart = 16 << 20
    /// A manifest is five levels deep; a parser must not be made to recurse at will.
    private static let maximumDepth = 64
    private static let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]

    private enum State { case before, inside, complete, refused }

    /// The document without the elements of its lists.
    private(set) var head: [UInt8] = []
    /// Bytes taken so far, a byte order mark and what follows the object included.
    private(set) var count = 0
    private var state = State.before
    private var (depth, inString, escaped) = (0, false, false)
    /// Where the last string begins in the head.
    private var stringStart = 0
    /// The key whose value comes next, in lower case; only where keys are looked at.
    private var key: [UInt8] = []
    private var isInExtensions = false
    /// The list that we are in, and those seen.
    private var list: List?
    private var seen: Set<List> = []
    /// Elements that were not handed on yet.
    private var batch: [UInt8] = []
    /// The last batch ended at a comma: another element must follow.
    private var owesElement = false

    /// Whether the object has ended: what follows it does not matter.
    var isComplete: Bool { state == .complete }
    /// Whether nothing that follows can make it an object.
    var isRefused: Bool { state == .refused }

    /// Takes the next bytes.
    /// - Parameters:
    ///   - bytes: of the object, in order.
    ///   - take: gets a list and a JSON array of some of its elements, in order.
    /// - Throws: ``CatalogError`` when a part is too large or cannot be JSON; what `take` throws.
    mutating func feed(
        _ bytes: UnsafeRawBufferPointer,
        _ take: (List, [UInt8]) throws(CatalogError) -> Void
    ) throws(CatalogError) {
        count += bytes.count
        // What neither begins nor ends anything is copied in one go.
        var plain = bytes.startIndex
        for index in bytes.indices {
            let byte = bytes[index]
            switch state {
            case .complete, .refused: return
            case .before:
                begin(byte, at: count - bytes.count + index)
                plain = index + 1
                continue
            case .inside: break
            }
            if inString {
                if escaped {
                    escaped = false
                } else if byte == UInt8(ascii: "\\") {
                    escaped = true
                } else if byte == UInt8(ascii: "\"") {
                    inString = false
                }
                continue
            }
            guard Self.isStructural(byte) else { continue }
            try append(UnsafeRawBufferPointer(rebasing: bytes[plain..<index]))
            plain = index + 1
            try structural(byte, take)
        }
        if state == .inside { try append(UnsafeRawBufferPointer(rebasing: bytes[plain...])) }
    }

    /// Editors put a byte order mark before what they save, and white space is allowed there.
    private mutating func begin(_ byte: UInt8, at offset: Int) {
        switch byte {
        case 0x20, 0x09, 0x0a, 0x0d: break
        case UInt8(ascii: "{"):
            (state, depth) = (.inside, 1)
            head.append(byte)
        default:
            guard offset < Self.byteOrderMark.count, byte == Self.byteOrderMark[offset] else { return state = .refused }
        }
    }

    private static func isStructural(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "{"), UInt8(ascii: "}"),
            UInt8(ascii: "["), UInt8(ascii: "]"):
            true
        default: false
        }
    }

    // MARK: Structure

    private mutating func structural(
        _ byte: UInt8,
        _ take: (List, [UInt8]) throws(CatalogError) -> Void
    ) throws(CatalogError) {
        switch byte {
        case UInt8(ascii: "\""):
            inString = true
            if list == nil { stringStart = head.count }
        case UInt8(ascii: ":"):
            if isAtKeys { key = Self.folded(head[stringStart...]) }
        case UInt8(ascii: ","):
            if isAtKeys { key = [] }
            if let list, depth == depth(of: list), batch.count >= Self.batchSize {
                try handOn(list, take)
                return owesElement = true
            }
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            let begun = byte == UInt8(ascii: "[") ? listBegun : nil
            if byte == UInt8(ascii: "{"), depth == 1 { isInExtensions = isKey("extensions") }
            depth += 1
            if depth > Self.maximumDepth { return state = .refused }
            if let begun {
                guard seen.insert(begun).inserted else {
                    throw CatalogError("MANIFEST has its list of files twice")
                }
                head.append(byte)
                return list = begun
            }
        default:
            depth -= 1
            if let list, depth < depth(of: list) { try end(list, take) }
            if depth == 1 { isInExtensions = false }
            if depth == 0 { state = .complete }
        }
        try withUnsafeBytes(of: byte) { byte throws(CatalogError) in try append(byte) }
    }

    private var isAtKeys: Bool { list == nil && (depth == 1 || depth == 2 && isInExtensions) }

    private var listBegun: List? {
        guard list == nil else { return nil }
        if depth == 1, isKey(List.files.rawValue) { return .files }
        return depth == 2 && isInExtensions && isKey(List.sizes.rawValue) ? .sizes : nil
    }

    /// Depth of its elements.
    private func depth(of list: List) -> Int { list == .files ? 2 : 3 }

    private func isKey(_ name: String) -> Bool { key.elementsEqual(name.utf8) }

    /// A string's text in lower case, without its quotes and what follows them.
    private static func folded(_ string: ArraySlice<UInt8>) -> [UInt8] {
        let quote = UInt8(ascii: "\"")
        guard let end = string.lastIndex(of: quote), end > string.startIndex else { return [] }
        return string[(string.startIndex + 1)..<end].map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
    }

    private mutating func append(_ bytes: UnsafeRawBufferPointer) throws(CatalogError) {
        if list == nil { head.append(contentsOf: bytes) } else { batch.append(contentsOf: bytes) }
        guard max(head.count, batch.count) <= Self.maximumPart else {
            throw CatalogError("MANIFEST has a value of more than \(Self.maximumPart) bytes")
        }
    }

    // MARK: Elements

    private mutating func end(
        _ list: List,
        _ take: (List, [UInt8]) throws(CatalogError) -> Void
    ) throws(CatalogError) {
        let isBlank = batch.allSatisfy { [0x20, 0x09, 0x0a, 0x0d].contains($0) }
        if isBlank, owesElement { throw CatalogError("MANIFEST is not valid JSON (\(count) bytes)") }
        if !isBlank { try handOn(list, take) }
        batch = []
        self.list = nil
        key = []
    }

    private mutating func handOn(
        _ list: List,
        _ take: (List, [UInt8]) throws(CatalogError) -> Void
    ) throws(CatalogError) {
        batch.insert(UInt8(ascii: "["), at: 0)
        batch.append(UInt8(ascii: "]"))
        try take(list, batch)
        batch.removeAll(keepingCapacity: true)
        owesElement = false
    }
}
