/// The name of an object within a backup: one path component of letters, digits, `.`, `_` and `-`.
package struct ObjectName: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// The commit record of a backup.
    package static let manifest = ObjectName(unchecked: "MANIFEST")

    /// The object of the file with this index.
    package static func file(_ index: Int) -> ObjectName { ObjectName(unchecked: String(index)) }

    /// Checks a name that comes from a manifest.
    /// - Throws: ``StorageError`` with code `invalidName`.
    package init(_ text: String) throws(StorageError) {
        let allowed = text.utf8.allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) || byte == UInt8(ascii: ".")
                || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: "_")
        }
        guard allowed, !text.isEmpty, text.utf8.count <= 255, text.first != "." else {
            throw StorageError(.invalidName, "invalid object name in a backup: \"\(text.prefix(80))\"")
        }
        description = text
    }

    /// For implementations: MANIFEST is no object to put, only a commit writes it.
    /// - Throws: ``StorageError`` with code `invalidName`.
    package func checkForPut() throws(StorageError) {
        if self == .manifest { throw StorageError(.invalidName, "only the commit of a backup writes its MANIFEST") }
    }

    private init(unchecked text: String) {
        description = text
    }
}
