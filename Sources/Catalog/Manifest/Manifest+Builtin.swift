extension Manifest {
    /// The keys that only the builtin engine writes.
    package struct Builtin: Hashable, Sendable {
        /// Value of `--compression-engine-name`, also when compression was off; empty in very old backups (`pgzip`).
        package var compressionEngine = ""
        /// Empty when they were only counted.
        package var files: [FileEntry] = []
        /// Of a list that was not kept.
        var counted: FileTotals?
        package var skipCompress = false
        package var externalDecompressor = ""

        /// Creates an empty list of files.
        package init() {}

        /// The engine that wrote the objects; backups from before the key existed are gzip.
        package var effectiveCompressionEngine: String { compressionEngine.isEmpty ? "pgzip" : compressionEngine }

        /// Number of files, and their bytes when the manifest knows them.
        package var totals: FileTotals { counted ?? FileTotals(count: files.count, sizes: sumOfSizes) }

        /// Bytes of all files and of all objects, when the manifest knows them.
        package var totalSizes: FileEntry.Sizes? { totals.sizes }

        /// Lets go of the list of files: a hundred backups of twenty thousand tables must not be in memory at once.
        package mutating func dropFiles() {
            counted = totals
            files = []
        }

        private var sumOfSizes: FileEntry.Sizes? {
            var total = FileEntry.Sizes(raw: 0, stored: 0)
            for file in files {
                guard let sizes = file.sizes else { return nil }
                total.raw += sizes.raw
                total.stored += sizes.stored
            }
            return total
        }
    }
}
