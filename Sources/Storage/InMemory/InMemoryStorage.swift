package import NIOCore
import Synchronization
package import Vocabulary

/// Backups in memory: the reference for the contract, and the store of simulations.
package final class InMemoryStorage: BackupStorage {
    typealias Objects = [ObjectName: ByteBuffer]
    private let backups = Mutex<[ShardPath: [String: Objects]]>([:])
    private let notes = Mutex<(all: [Note.Place: Note], writes: Int)>(([:], 0))

    /// Creates an empty store.
    package init() {}

    package func listBackups(of shard: ShardPath) async throws -> [String] {
        backups.withLock { ($0[shard] ?? [:]).keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }
    }

    package func startBackup(_ name: String, of shard: ShardPath) async throws -> any BackupWriter {
        try check(name)
        try backups.withLock { backups in
            guard backups[shard]?[name] == nil else {
                throw StorageError(.alreadyExists, "backup \(shard)/\(name) exists already")
            }
            backups[shard, default: [:]][name] = [:]
        }
        return Writer(storage: self, shard: shard, name: name)
    }

    package func backup(_ name: String, of shard: ShardPath) throws -> any BackupReader {
        try check(name)
        return Reader(storage: self, shard: shard, name: name)
    }

    package func removeBackup(_ name: String, of shard: ShardPath) async throws {
        try check(name)
        remove(name, of: shard)
    }

    private func remove(_ name: String, of shard: ShardPath) {
        backups.withLock { _ = $0[shard]?.removeValue(forKey: name) }
        notes.withLock { notes in
            for kind in Note.Place.Kind.allCases { notes.all[Note.Place(kind, of: shard, backup: name)] = nil }
        }
    }

    package func note(at place: Note.Place) async throws -> Note? {
        if let backup = place.backup { try check(backup) }
        return notes.withLock { $0.all[place] }
    }

    package func writeNote(
        _ bytes: [UInt8],
        at place: Note.Place,
        expecting: Note.Expectation
    ) async throws -> String {
        if let backup = place.backup {
            try check(backup)
            guard backups.withLock({ $0[place.shard]?[backup] != nil }) else {
                throw StorageError(.notFound, "there is no backup \(place.shard)/\(backup)")
            }
        }
        return try notes.withLock { notes in
            try expect(expecting, notes.all[place], place)
            notes.writes += 1
            notes.all[place] = Note(bytes: bytes, version: String(notes.writes))
            return String(notes.writes)
        }
    }

    package func removeNote(at place: Note.Place, expecting: Note.Expectation) async throws {
        if let backup = place.backup { try check(backup) }
        try notes.withLock { notes in
            guard notes.all[place] != nil else { return }
            try expect(expecting, notes.all[place], place)
            notes.all[place] = nil
        }
    }

    private func expect(_ expectation: Note.Expectation, _ found: Note?, _ place: Note.Place) throws(StorageError) {
        let fits =
            switch expectation {
            case .anything: true
            case .nothing: found == nil
            case .version(let version): found?.version == version
            }
        guard fits else { throw StorageError(.conflict, "\(place) was changed by somebody else") }
    }

    /// Replaces or removes (with `nil`) one object behind the contract's back, as a failing disk would.
    package func tamper(_ object: ObjectName, of name: String, in shard: ShardPath, with bytes: ByteBuffer?) {
        backups.withLock { $0[shard]?[name]?[object] = bytes }
    }

    /// The bytes of one object, if it is there.
    package func object(_ object: ObjectName, of name: String, in shard: ShardPath) -> ByteBuffer? {
        backups.withLock { $0[shard]?[name]?[object] }
    }

    private func check(_ name: String) throws(StorageError) {
        guard !name.isEmpty, name != ".", name != "..", !name.contains("/"), !name.utf8.contains(0) else {
            throw StorageError(.invalidName, "invalid joined path: backup name \"\(PrintableText.excerpt(name))\"")
        }
    }

    private struct Writer: BackupWriter {
        let storage: InMemoryStorage
        let shard: ShardPath
        let name: String

        func put(
            _ object: ObjectName,
            sizeHint: Int64?,
            body: (any ObjectSink) async throws -> Void
        ) async throws -> Int64 {
            try object.checkForPut()
            let sink = Sink()
            try await body(sink)
            return try storage.backups.withLock { backups in
                guard backups[shard]?[name] != nil else {
                    throw StorageError(.notFound, "backup \(shard)/\(name) was removed")
                }
                let bytes = sink.bytes.withLock { $0 }
                backups[shard]?[name]?[object] = bytes
                return Int64(bytes.readableBytes)
            }
        }

        func commit(manifest: ByteBuffer) async throws {
            try storage.backups.withLock { backups in
                guard backups[shard]?[name] != nil else {
                    throw StorageError(.notFound, "backup \(shard)/\(name) was removed")
                }
                backups[shard]?[name]?[.manifest] = manifest
            }
        }

        func abort() async throws {
            storage.remove(name, of: shard)
        }
    }

    private final class Sink: ObjectSink {
        let bytes = Mutex(ByteBuffer())

        func write(_ bytes: ByteBuffer) async throws {
            self.bytes.withLock { _ = $0.writeImmutableBuffer(bytes) }
        }
    }

    private struct Reader: BackupReader {
        let storage: InMemoryStorage
        let shard: ShardPath
        let name: String

        func size(of object: ObjectName) async throws -> Int64? {
            guard let bytes = storage.object(object, of: name, in: shard) else {
                throw StorageError(.notFound, "no object \(object) in backup \(name)")
            }
            return Int64(bytes.readableBytes)
        }

        func withObject<Result: Sendable>(
            _ object: ObjectName,
            body: (any ObjectSource) async throws -> Result
        ) async throws -> Result {
            guard let bytes = storage.object(object, of: name, in: shard) else {
                throw StorageError(.notFound, "no object \(object) in backup \(name)")
            }
            return try await body(Source(bytes))
        }
    }

    private final class Source: ObjectSource {
        private let rest: Mutex<ByteBuffer>

        init(_ bytes: ByteBuffer) {
            rest = Mutex(bytes)
        }

        func next() async throws -> ByteBuffer? {
            rest.withLock { rest in
                rest.readableBytes == 0 ? nil : rest.readSlice(length: min(rest.readableBytes, 1 << 16))
            }
        }
    }
}
