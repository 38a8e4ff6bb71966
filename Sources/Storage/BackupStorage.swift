package import Catalog
package import Concurrency
package import NIOCore
package import Vocabulary

/// Where backups are kept: `<keyspace>/<shard>/<backup name>/<object>`.
///
/// The contract of every implementation (`StorageConformance` in TestKit checks it):
/// - Names of backups are opaque here, one path component each. Keyspace, shard, backup and object names are used verbatim.
/// - A backup is complete when its `MANIFEST` object can be read. ``BackupWriter/commit(manifest:)`` makes it visible in
///   one step, after every object before it is durable; nothing else creates one.
/// - Objects are immutable once put: putting a name again replaces the whole object.
/// - All operations may be called concurrently, also on one backup, and return only when their effect is confirmed by
///   the store. None retries: that is a decorator's or the caller's work.
/// - Cancellation ends an operation soon; a put that was cancelled or failed leaves no object that ``put`` reported.
package protocol BackupStorage: Sendable {
    /// Names of everything that lies in the shard's folder, sorted by bytes (oldest first). Empty when it does not exist.
    func listBackups(of shard: ShardPath) async throws -> [String]

    /// Begins a backup.
    /// - Throws: ``StorageError`` with code `alreadyExists` when something of that name is there.
    func startBackup(_ name: String, of shard: ShardPath) async throws -> any BackupWriter

    /// A reader of one backup. Does no I/O: whether the backup exists shows when an object is read.
    /// - Throws: ``StorageError`` with code `invalidName`.
    func backup(_ name: String, of shard: ShardPath) throws -> any BackupReader

    /// Removes a backup, its MANIFEST first, so that what an interruption leaves is not a complete backup any more.
    /// Removing what does not exist is no error.
    func removeBackup(_ name: String, of shard: ShardPath) async throws

    /// Reads a note; `nil` when there is none.
    /// - Throws: ``StorageError`` with code `invalidName`, or what the store throws.
    func note(at place: Note.Place) async throws -> Note?

    /// Writes a note in one step, if what is there is what is expected.
    /// - Returns: its new version.
    /// - Throws: ``StorageError``, with code `conflict` when something else is there, `notFound` when the backup that it
    ///   belongs to is not.
    func writeNote(_ bytes: [UInt8], at place: Note.Place, expecting: Note.Expectation) async throws -> String

    /// Removes a note, if what is there is what is expected; absent is fine.
    /// - Throws: ``StorageError``, with code `conflict` when something else is there.
    func removeNote(at place: Note.Place, expecting: Note.Expectation) async throws
}

/// A backup that is being written.
package protocol BackupWriter: Sendable {
    /// Its name.
    var name: String { get }

    /// Stores one object from what `body` writes.
    ///
    /// Use ``store(_:sizeHint:body:)``, which also confirms and hashes.
    /// - Parameters:
    ///   - object: its name in the backup.
    ///   - sizeHint: bytes before compression, or `nil`; never the length of the object.
    ///   - body: writes the object in order; when it throws, the object is not stored.
    /// - Returns: number of bytes that the store confirms to hold durably.
    /// - Throws: ``StorageError``, or what `body` throws.
    func put(_ object: ObjectName, sizeHint: Int64?, body: (any ObjectSink) async throws -> Void) async throws -> Int64

    /// Makes the backup complete: all objects durable, then MANIFEST visible, in one step. The last call.
    func commit(manifest: ByteBuffer) async throws

    /// Removes the unfinished backup.
    func abort() async throws
}

/// Takes the bytes of one object, in order.
///
/// Called by one task at a time.
package protocol ObjectSink: Sendable {
    /// Adds bytes; returns when the sink can take more, which is the back-pressure.
    func write(_ bytes: ByteBuffer) async throws
}

/// Reads the objects of one backup.
package protocol BackupReader: Sendable {
    /// Its name.
    var name: String { get }

    /// Bytes stored of an object; `nil` where the store cannot tell without reading.
    /// - Throws: ``StorageError`` with code `notFound`, or what the store throws.
    func size(of object: ObjectName) async throws -> Int64?

    /// Runs `body` with the bytes of one object. The source must not escape.
    /// - Throws: ``StorageError`` with code `notFound`, or what `body` throws.
    func withObject<Result: Sendable>(
        _ object: ObjectName,
        body: (any ObjectSource) async throws -> Result
    ) async throws -> Result
}

/// Gives the bytes of one object, in order.
///
/// Called by one task at a time.
package protocol ObjectSource: Sendable {
    /// The next bytes, never empty; `nil` at the end of the object.
    func next() async throws -> ByteBuffer?
}

extension BackupReader {
    /// Reads a whole small object.
    /// - Throws: ``StorageError``; also when the object is larger than `limit` bytes.
    package func read(_ object: ObjectName, limit: Int) async throws -> [UInt8] {
        try await withObject(object) { source in
            var bytes: [UInt8] = []
            while let piece = try await source.next() {
                guard bytes.count + piece.readableBytes <= limit else {
                    throw StorageError(.tooLarge, "object \(object) of backup \(name) is larger than \(limit) bytes")
                }
                bytes.append(contentsOf: piece.readableBytesView)
            }
            return bytes
        }
    }

    /// Reads and decodes the MANIFEST, piece by piece.
    /// - Parameters:
    ///   - files: what becomes of its list of files.
    ///   - readAlone: asked for when it turns out to be large: large ones are read one at a time.
    /// - Returns: the manifest, or the reason why the backup is incomplete.
    /// - Throws: what the store throws when it cannot tell.
    package func manifest(
        files: ManifestDecoder.Files = .kept,
        readAlone: Slots? = nil
    ) async throws -> ListedBackup.State {
        do {
            return try await withObject(.manifest) { source in
                var decoder = ManifestDecoder(files: files)
                var isAlone = false
                defer { if isAlone { readAlone?.release() } }
                while !decoder.isComplete, let piece = try await source.next() {
                    if let readAlone, !isAlone, decoder.count > Self.largeManifest {
                        try await readAlone.acquire()
                        isAlone = true
                    }
                    try piece.withUnsafeReadableBytes { try decoder.feed($0) }
                }
                return .complete(try decoder.finish())
            }
        } catch let error as StorageError where error.code == .notFound || error.code == .tooLarge {
            return .incomplete("\(error)")
        } catch let error as CatalogError {
            return .incomplete("\(error)")
        }
    }

    /// Bytes from which on it weighs to have several manifests in work: one of 5,000 files.
    private static var largeManifest: Int { 1 << 20 }
}
