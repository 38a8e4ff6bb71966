import FoundationEssentials
import Positions

extension Manifest {
    /// A manifest is refused beyond this size, bytes; one of a million files has about 130 MB.
    package static let maximumSize = 256 << 20
    /// More files than any server has; bounds what a hostile manifest can make us allocate.
    static let maximumFiles = 4_000_000

    /// Reads a `MANIFEST` object.
    ///
    /// It comes from storage and is not trusted: every path, size, hash and count is checked here, so that what follows
    /// can rely on them.
    /// - Throws: ``CatalogError`` that names the key; the backup then counts as incomplete.
    package init(decoding bytes: [UInt8]) throws(CatalogError) {
        guard bytes.count <= Self.maximumSize else {
            throw CatalogError("MANIFEST has \(bytes.count) bytes, more than the limit of \(Self.maximumSize)")
        }
        guard let object = JSONValue.firstObject(in: bytes) else {
            throw CatalogError("MANIFEST is not a complete JSON object (\(bytes.count) bytes)")
        }
        let value: JSONValue
        do {
            value = try JSONDecoder().decode(JSONValue.self, from: Data(object))
        } catch {
            throw CatalogError("MANIFEST is not valid JSON (\(bytes.count) bytes)")
        }
        try self.init(JSONFields(value, path: "MANIFEST"))
    }

    private init(_ fields: JSONFields) throws(CatalogError) {
        self.init()
        backupName = try fields.string("BackupName")
        let recordedMethod = try fields.string("BackupMethod")
        method = recordedMethod.isEmpty ? "builtin" : recordedMethod
        position = try Self.position("Position", fields)
        purgedPosition = try Self.position("PurgedPosition", fields)
        fromPosition = try Self.position("FromPosition", fields)
        fromBackup = try fields.string("FromBackup")
        incremental = try fields.bool("Incremental")
        // A time that cannot be read is unknown: only what needs it suffers.
        backupTime = BackupTimestamp.parse(rfc3339: try fields.string("BackupTime"))
        finishedTime = BackupTimestamp.parse(rfc3339: try fields.string("FinishedTime"))
        serverUUID = try fields.string("ServerUUID")
        tabletAlias = try fields.string("TabletAlias")
        hostname = fields.has("Hostname") ? try fields.string("Hostname") : nil
        keyspace = try fields.string("Keyspace")
        shard = try fields.string("Shard")
        mysqlVersion = try fields.string("MySQLVersion")
        upgradeSafe = try fields.bool("UpgradeSafe")
        if let details = try fields.object("IncrementalDetails") {
            var read = IncrementalDetails()
            read.firstTimestamp = try details.string("FirstTimestamp")
            read.firstTimestampBinlog = try details.string("FirstTimestampBinlog")
            read.lastTimestamp = try details.string("LastTimestamp")
            read.lastTimestampBinlog = try details.string("LastTimestampBinlog")
            incrementalDetails = read
        }
        if method == "builtin" { builtin = try Builtin(fields) }
    }

    private static func position(_ key: String, _ fields: JSONFields) throws(CatalogError) -> Position? {
        let text = try fields.string(key)
        do {
            return try Position.decode(text)
        } catch {
            throw CatalogError("MANIFEST key \(key): \(error)")
        }
    }
}

extension Manifest.Builtin {
    fileprivate init(_ fields: JSONFields) throws(CatalogError) {
        self.init()
        compressionEngine = try fields.string("CompressionEngine")
        skipCompress = try fields.bool("SkipCompress")
        externalDecompressor = try fields.string("ExternalDecompressor")
        let entries = try fields.array("FileEntries")
        guard entries.count <= Manifest.maximumFiles else {
            throw CatalogError("MANIFEST lists \(entries.count) files, more than the limit of \(Manifest.maximumFiles)")
        }
        files.reserveCapacity(entries.count)
        for (index, entry) in entries.enumerated() {
            files.append(try FileEntry(JSONFields(entry, path: "MANIFEST FileEntries[\(index)]"), index: index))
        }
        try readExtensions(fields)
        try refuseDuplicates()
    }

    private mutating func readExtensions(_ fields: JSONFields) throws(CatalogError) {
        guard let extensions = try fields.object("Extensions"), try extensions.integer("Format") == 1 else { return }
        let sizes = try extensions.array("Files")
        guard sizes.count == files.count else {
            throw CatalogError("MANIFEST Extensions.Files has \(sizes.count) elements for \(files.count) files")
        }
        var total: Int64 = 0
        for (index, element) in sizes.enumerated() {
            let path = "MANIFEST Extensions.Files[\(index)]"
            let fields = try JSONFields(element, path: path)
            let (raw, stored) = (try fields.integer("Size"), try fields.integer("StoredSize"))
            let limit: Int64 = 1 << 50
            // The sum is bounded as well: whoever adds the sizes up must not overflow.
            guard (0...limit).contains(raw), (0...limit).contains(stored), total <= 1 << 60 else {
                throw CatalogError("\(path) has an impossible size")
            }
            total += max(raw, stored)
            files[index].sizes = FileEntry.Sizes(raw: raw, stored: stored)
        }
    }

    /// Two objects restored into one file would leave whichever came last.
    private func refuseDuplicates() throws(CatalogError) {
        var seen: Set<String> = []
        for (index, file) in files.enumerated() where !file.name.isEmpty {
            guard seen.insert("\(file.base.rawValue)/\(file.name)").inserted else {
                throw CatalogError(
                    "MANIFEST FileEntries[\(index)] repeats \(file.base.rawValue) \(CatalogError.excerpt(file.name))"
                )
            }
        }
    }
}

extension FileEntry {
    fileprivate init(_ fields: JSONFields, index: Int) throws(CatalogError) {
        let path = "MANIFEST FileEntries[\(index)]"
        let name = try fields.string("Name")
        let baseText = try fields.string("Base")
        guard let base = BaseDirectory(rawValue: baseText) ?? (name.isEmpty ? .data : nil) else {
            throw CatalogError("\(path): unknown base: \(CatalogError.excerpt(baseText))")
        }
        guard name.isEmpty || Self.isSafe(name: name) else {
            throw CatalogError(
                "\(path): cannot evaluate full name for \(CatalogError.excerpt(name)): invalid joined path"
            )
        }
        let chunks = try Self.chunks(fields, index: index, path: path)
        var hash: UInt32 = 0
        if chunks.isEmpty, !name.isEmpty { hash = try Self.hash(fields, path: path) }
        self.init(base: base, name: name, hash: hash, chunks: chunks)
    }

    private static func hash(_ fields: JSONFields, path: String) throws(CatalogError) -> UInt32 {
        let text = try fields.string("Hash")
        guard text.utf8.count == 8, text.first?.isHexDigit == true, let hash = UInt32(text, radix: 16) else {
            throw CatalogError("\(path) key Hash is not eight hexadecimal digits: \"\(CatalogError.excerpt(text))\"")
        }
        return hash
    }

    /// Chunks in file order; they must be named after their file and cover it without a gap.
    private static func chunks(_ fields: JSONFields, index: Int, path: String) throws(CatalogError) -> [Chunk] {
        var chunks: [Chunk] = []
        for (number, element) in try fields.array("Chunks").enumerated() {
            let fields = try JSONFields(element, path: "\(path).Chunks[\(number)]")
            chunks.append(
                Chunk(
                    storageName: try fields.string("StorageName"),
                    offset: try fields.integer("Offset"),
                    size: try fields.integer("Size"),
                    hash: try hash(fields, path: "\(path).Chunks[\(number)]")
                )
            )
        }
        chunks.sort { $0.offset < $1.offset }
        var end: Int64 = 0
        for (number, chunk) in chunks.enumerated() {
            guard chunk.offset == end, chunk.size > 0, chunk.size < (1 << 50) - end,
                chunk.storageName == "\(index)-\(number)"
            else {
                throw CatalogError(
                    "\(path): chunk \(CatalogError.excerpt(chunk.storageName)) does not continue the file at byte \(end)"
                )
            }
            end += chunk.size
        }
        return chunks
    }
}
