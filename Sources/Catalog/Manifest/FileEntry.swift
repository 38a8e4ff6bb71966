/// Which of the server's directories a file belongs to; the raw value is the manifest's `Base`.
package enum BaseDirectory: String, Hashable, Sendable, CaseIterable {
    case innodbData = "InnoDBData"
    case innodbLog = "InnoDBLog"
    case data = "Data"
    case binLog = "BinLog"
}

/// One file of a builtin backup.
///
/// Its index in the manifest is the name of its object.
package struct FileEntry: Hashable, Sendable {
    /// A part of a large file that is an object of its own (written by Vitess 25 only).
    package struct Chunk: Hashable, Sendable {
        package var storageName: String
        package var offset: Int64
        package var size: Int64
        package var hash: UInt32

        /// Creates a chunk of a file.
        package init(storageName: String, offset: Int64, size: Int64, hash: UInt32) {
            (self.storageName, self.offset, self.size, self.hash) = (storageName, offset, size, hash)
        }
    }

    /// Sizes from the manifest's `Extensions`, bytes.
    package struct Sizes: Hashable, Sendable {
        /// Bytes of the file itself.
        package var raw: Int64
        /// Bytes of its object, after compression.
        package var stored: Int64

        /// Creates the sizes of one file.
        package init(raw: Int64, stored: Int64) {
            (self.raw, self.stored) = (raw, stored)
        }
    }

    package var base: BaseDirectory
    /// Path below the base directory.
    ///
    /// Empty: the entry only keeps its index and is skipped.
    package var name: String
    /// CRC-32 (IEEE) of the stored bytes; meaningless when `chunks` is not empty.
    package var hash: UInt32
    package var chunks: [Chunk]
    /// `nil` in backups of Vitess.
    package var sizes: Sizes?

    /// Creates an entry.
    ///
    /// `name` has been checked with ``isSafe(name:)``.
    package init(base: BaseDirectory, name: String, hash: UInt32, chunks: [Chunk] = [], sizes: Sizes? = nil) {
        (self.base, self.name, self.hash, self.chunks, self.sizes) = (base, name, hash, chunks, sizes)
    }

    /// Whether `name` stays below its base directory whatever that is: relative, no empty, `.` or `..` component,
    /// no NUL, at most 4,095 bytes.
    package static func isSafe(name: String) -> Bool {
        guard name.utf8.count <= 4095, !name.utf8.contains(0) else { return false }
        return name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { component in
            !component.isEmpty && component != "." && component != ".." && component.utf8.count <= 255
        }
    }
}

/// Number and bytes of a backup's files.
package struct FileTotals: Hashable, Sendable {
    package var count: Int
    /// `nil` when the manifest does not know them.
    package var sizes: FileEntry.Sizes?

    /// Creates them.
    package init(count: Int, sizes: FileEntry.Sizes?) {
        (self.count, self.sizes) = (count, sizes)
    }
}
