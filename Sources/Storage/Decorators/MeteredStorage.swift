import NIOCore
package import Vocabulary

/// Tells an observer how many bytes go to and come from the store behind it.
package struct MeteredStorage: BackupStorage {
    /// Bytes that have just passed.
    package enum Traffic: Sendable {
        case written(Int)
        case read(Int)
    }

    private let base: any BackupStorage
    private let observe: @Sendable (Traffic) -> Void

    /// Meters `base`.
    ///
    /// `observe` is called from many tasks at once, for every piece.
    package init(_ base: any BackupStorage, observe: @escaping @Sendable (Traffic) -> Void) {
        (self.base, self.observe) = (base, observe)
    }

    package func listBackups(of shard: ShardPath) async throws -> [String] {
        try await base.listBackups(of: shard)
    }

    package func startBackup(_ name: String, of shard: ShardPath) async throws -> any BackupWriter {
        Writer(base: try await base.startBackup(name, of: shard), observe: observe)
    }

    package func backup(_ name: String, of shard: ShardPath) throws -> any BackupReader {
        Reader(base: try base.backup(name, of: shard), observe: observe)
    }

    package func removeBackup(_ name: String, of shard: ShardPath) async throws {
        try await base.removeBackup(name, of: shard)
    }

    package func note(at place: Note.Place) async throws -> Note? {
        try await base.note(at: place)
    }

    package func writeNote(
        _ bytes: [UInt8],
        at place: Note.Place,
        expecting: Note.Expectation
    ) async throws -> String {
        try await base.writeNote(bytes, at: place, expecting: expecting)
    }

    package func removeNote(at place: Note.Place, expecting: Note.Expectation) async throws {
        try await base.removeNote(at: place, expecting: expecting)
    }

    private struct Writer: BackupWriter {
        let base: any BackupWriter
        let observe: @Sendable (Traffic) -> Void
        var name: String { base.name }

        func put(
            _ object: ObjectName,
            sizeHint: Int64?,
            body: (any ObjectSink) async throws -> Void
        ) async throws -> Int64 {
            try await base.put(object, sizeHint: sizeHint) { try await body(Sink(base: $0, observe: observe)) }
        }

        func commit(manifest: ByteBuffer) async throws {
            try await base.commit(manifest: manifest)
            observe(.written(manifest.readableBytes))
        }

        func abort() async throws { try await base.abort() }
    }

    private struct Sink: ObjectSink {
        let base: any ObjectSink
        let observe: @Sendable (Traffic) -> Void

        func write(_ bytes: ByteBuffer) async throws {
            try await base.write(bytes)
            observe(.written(bytes.readableBytes))
        }
    }

    private struct Reader: BackupReader {
        let base: any BackupReader
        let observe: @Sendable (Traffic) -> Void
        var name: String { base.name }

        func size(of object: ObjectName) async throws -> Int64? { try await base.size(of: object) }

        func withObject<Result: Sendable>(
            _ object: ObjectName,
            body: (any ObjectSource) async throws -> Result
        ) async throws -> Result {
            try await base.withObject(object) { try await body(Source(base: $0, observe: observe)) }
        }
    }

    private struct Source: ObjectSource {
        let base: any ObjectSource
        let observe: @Sendable (Traffic) -> Void

        func next() async throws -> ByteBuffer? {
            let bytes = try await base.next()
            if let bytes { observe(.read(bytes.readableBytes)) }
            return bytes
        }
    }
}
