import FoundationEssentials
import Vocabulary

/// Reads a `MANIFEST` object as its bytes arrive, in memory that does not grow with it except for what is kept.
///
/// It comes from storage and is not trusted: every path, size, hash and count is checked here, so that what follows can
/// rely on them.
package struct ManifestDecoder {
    /// What becomes of the list of files.
    package enum Files: Sendable {
        /// For those who restore or compare them: some 130 bytes a file.
        case kept
        /// Every entry is checked, and only their number and sum stay.
        case counted
    }

    private var splitter = ManifestSplitter()
    private var files: FileEntryList

    /// Begins a manifest.
    package init(files: Files) {
        self.files = FileEntryList(files)
    }

    /// Whether the rest of the object does not matter any more.
    package var isComplete: Bool { splitter.isComplete || splitter.isRefused }

    /// Bytes taken so far.
    package var count: Int { splitter.count }

    /// Takes the next bytes of the object.
    /// - Throws: ``CatalogError``: there is no use in going on; the backup counts as incomplete.
    package mutating func feed(_ bytes: UnsafeRawBufferPointer) throws(CatalogError) {
        guard splitter.count + bytes.count <= Manifest.maximumSize else {
            throw CatalogError("MANIFEST has more bytes than the limit of \(Manifest.maximumSize)")
        }
        try splitter.feed(bytes) { list, batch throws(CatalogError) in try files.add(batch, of: list) }
    }

    /// The manifest, after the last byte.
    /// - Throws: ``CatalogError`` that names the key; the backup then counts as incomplete.
    package func finish() throws(CatalogError) -> Manifest {
        guard splitter.isComplete else {
            throw CatalogError("MANIFEST is not a complete JSON object (\(splitter.count) bytes)")
        }
        let head: JSONValue
        do {
            head = try JSONDecoder().decode(JSONValue.self, from: Data(splitter.head))
        } catch {
            throw CatalogError("MANIFEST is not valid JSON (\(splitter.count) bytes)")
        }
        return try Manifest(JSONFields(head, path: "MANIFEST"), files)
    }
}

/// Collects the elements of a manifest's two lists.
struct FileEntryList {
    private let keeps: Bool
    private(set) var entries: [FileEntry] = []
    private var sizes: [FileEntry.Sizes] = []
    private(set) var count = 0
    private var sizesCount = 0
    private var total = FileEntry.Sizes(raw: 0, stored: 0)
    private var names: Set<Fingerprint> = []
    /// What is wrong with the entries, which does not matter in a manifest of another engine.
    private var entriesError: CatalogError?
    /// The same for the sizes, which do not matter in another format of the extensions.
    private var sizesError: CatalogError?

    /// Of a file's place: names themselves would take ten times as much, and two places with the same 128 bits are not
    /// to be found even by one who looks for them, since the hash's key is random.
    private struct Fingerprint: Hashable {
        private let parts: (Int, Int)

        init(_ entry: FileEntry) {
            func hash(_ salt: Int) -> Int {
                var hasher = Hasher()
                hasher.combine(salt)
                hasher.combine(entry.base)
                hasher.combine(entry.name)
                return hasher.finalize()
            }
            parts = (hash(0), hash(1))
        }

        static func == (left: Fingerprint, right: Fingerprint) -> Bool { left.parts == right.parts }

        func hash(into hasher: inout Hasher) { hasher.combine(parts.0) }
    }

    init(_ files: ManifestDecoder.Files) {
        keeps = files == .kept
    }

    /// Takes a JSON array of elements.
    /// - Throws: ``CatalogError`` when it is no JSON; what an element says wrongly is kept for ``apply(to:isSized:)``.
    mutating func add(_ batch: [UInt8], of list: ManifestSplitter.List) throws(CatalogError) {
        let decoder = JSONDecoder()
        switch list {
        case .files:
            guard entriesError == nil else { return }
            decoder.userInfo[.firstIndex] = count
            entriesError = try Self.decode(FileEntryBatch.self, batch, decoder) { batch throws(CatalogError) in
                for entry in batch.entries { try add(entry) }
            }
        case .sizes:
            guard sizesError == nil else { return }
            decoder.userInfo[.firstIndex] = sizesCount
            sizesError = try Self.decode(FileSizesBatch.self, batch, decoder) { batch throws(CatalogError) in
                for sizes in batch.sizes { try add(sizes) }
            }
        }
    }

    private static func decode<Batch: Decodable>(
        _ type: Batch.Type,
        _ bytes: [UInt8],
        _ decoder: JSONDecoder,
        _ use: (Batch) throws(CatalogError) -> Void
    ) throws(CatalogError) -> CatalogError? {
        do {
            try use(try decoder.decode(type, from: Data(bytes)))
            return nil
        } catch let error as CatalogError {
            return error
        } catch {
            throw CatalogError("MANIFEST is not valid JSON in one of its lists of files")
        }
    }

    private mutating func add(_ entry: FileEntry) throws(CatalogError) {
        guard count < Manifest.maximumFiles else {
            throw CatalogError("MANIFEST lists more files than the limit of \(Manifest.maximumFiles)")
        }
        // Two objects restored into one file would leave whichever came last.
        guard entry.name.isEmpty || names.insert(Fingerprint(entry)).inserted else {
            throw CatalogError(
                "MANIFEST FileEntries[\(count)] repeats \(entry.base.rawValue) \(PrintableText.excerpt(entry.name))"
            )
        }
        count += 1
        if keeps { entries.append(entry) }
    }

    private mutating func add(_ sizes: FileEntry.Sizes) throws(CatalogError) {
        let limit: Int64 = 1 << 50
        // The sum is bounded as well: whoever adds the sizes up must not overflow.
        guard (0...limit).contains(sizes.raw), (0...limit).contains(sizes.stored),
            max(total.raw, total.stored) <= 1 << 60
        else { throw CatalogError("MANIFEST Extensions.Files[\(sizesCount)] has an impossible size") }
        total.raw += sizes.raw
        total.stored += sizes.stored
        sizesCount += 1
        if keeps { self.sizes.append(sizes) }
    }

    /// Gives the files to what a manifest says of the builtin engine.
    /// - Parameters:
    ///   - builtin: gets them.
    ///   - isSized: whether the manifest has extensions of the format that we know.
    /// - Throws: ``CatalogError`` that names the element.
    func apply(to builtin: inout Manifest.Builtin, isSized: Bool) throws(CatalogError) {
        if let entriesError { throw entriesError }
        if isSized {
            if let sizesError { throw sizesError }
            guard sizesCount == count else {
                throw CatalogError("MANIFEST Extensions.Files has \(sizesCount) elements for \(count) files")
            }
        }
        guard keeps else {
            return builtin.counted = FileTotals(count: count, sizes: isSized || count == 0 ? total : nil)
        }
        builtin.files = entries
        if isSized { for index in entries.indices { builtin.files[index].sizes = sizes[index] } }
    }
}
