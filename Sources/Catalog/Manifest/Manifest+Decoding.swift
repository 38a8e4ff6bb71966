import Positions
import Vocabulary

extension Manifest {
    /// A manifest is refused beyond this size, bytes; one of a million files has about 130 MB.
    package static let maximumSize = 256 << 20
    /// More files than any server has; bounds what a hostile manifest can make us allocate.
    static let maximumFiles = 4_000_000

    /// Reads a whole `MANIFEST` object.
    /// - Throws: ``CatalogError`` that names the key; the backup then counts as incomplete.
    package init(decoding bytes: [UInt8], files: ManifestDecoder.Files = .kept) throws(CatalogError) {
        var decoder = ManifestDecoder(files: files)
        try bytes.withUnsafeBufferPointer { bytes throws(CatalogError) in
            try decoder.feed(UnsafeRawBufferPointer(bytes))
        }
        self = try decoder.finish()
    }

    /// Takes a manifest's head and what its lists hold.
    init(_ fields: JSONFields, _ files: FileEntryList) throws(CatalogError) {
        self.init(try Details(fields, files))
        backupName = try fields.string("BackupName")
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

extension Manifest.Details {
    fileprivate init(_ fields: JSONFields, _ files: FileEntryList) throws(CatalogError) {
        self =
            switch BackupMethod(try fields.string("BackupMethod")) {
            case .builtin: .builtin(try Manifest.Builtin(fields, files))
            case .xtrabackup: .xtrabackup(try Manifest.XtraBackup(fields))
            case .mysqlShell: .mysqlShell(try Manifest.MySQLShell(fields))
            case .other(let name): .other(name)
            }
    }
}

extension Manifest.XtraBackup {
    fileprivate init(_ fields: JSONFields) throws(CatalogError) {
        self.init()
        compressionEngine = try fields.string("CompressionEngine")
        fileName = try fields.string("FileName")
        extraCommandLineParams = try fields.string("ExtraCommandLineParams")
        streamMode = try fields.string("StreamMode")
        numStripes = try fields.integer("NumStripes")
        stripeBlockSize = try fields.integer("StripeBlockSize")
        skipCompress = try fields.bool("SkipCompress")
        externalDecompressor = try fields.string("ExternalDecompressor")
    }
}

extension Manifest.MySQLShell {
    fileprivate init(_ fields: JSONFields) throws(CatalogError) {
        self.init()
        backupLocation = try fields.string("BackupLocation")
        params = try fields.string("Params")
    }
}

extension Manifest.Builtin {
    fileprivate init(_ fields: JSONFields, _ files: FileEntryList) throws(CatalogError) {
        self.init()
        compressionEngine = try fields.string("CompressionEngine")
        skipCompress = try fields.bool("SkipCompress")
        externalDecompressor = try fields.string("ExternalDecompressor")
        // The elements went another way: only a list may stand there, and one under a spelling that is not looked for
        // must not be taken for an empty one.
        guard try fields.array("FileEntries").isEmpty else {
            throw CatalogError("MANIFEST key FileEntries is spelt with escapes")
        }
        let extensions = try fields.object("Extensions")
        let isSized = try extensions?.integer("Format") == 1
        if isSized, try extensions?.array("Files").isEmpty == false {
            throw CatalogError("MANIFEST key Extensions.Files is spelt with escapes")
        }
        try files.apply(to: &self, isSized: isSized)
    }
}
