import NIOCore
import Synchronization

/// What a store has confirmed to hold: the only thing that a manifest's entry can be made from.
///
/// It cannot be created elsewhere, so a hash or size can neither be guessed nor carried over from a failed attempt.
package struct StoredObject: Hashable, Sendable {
    package let name: ObjectName
    /// Bytes stored.
    package let size: Int64
    /// CRC-32 of the stored bytes.
    package let crc32: UInt32

    fileprivate init(name: ObjectName, size: Int64, crc32: UInt32) {
        (self.name, self.size, self.crc32) = (name, size, crc32)
    }
}

extension BackupWriter {
    /// Stores one object and returns what the store confirmed, with the hash of the bytes handed to it.
    /// - Throws: what the store or `body` throws; ``StorageError`` with code `incompleteWrite` when the store confirms
    ///   another number of bytes than it was given.
    package func store(
        _ object: ObjectName,
        sizeHint: Int64?,
        body: (any ObjectSink) async throws -> Void
    ) async throws -> StoredObject {
        let tally = Mutex((crc: CRC32(), size: Int64(0), isWhole: false))
        let confirmed = try await put(object, sizeHint: sizeHint) { sink in
            tally.withLock { $0 = (CRC32(), 0, false) }
            try await body(
                HashingSink(next: sink) { bytes in
                    tally.withLock { tally in
                        tally.crc.update(bytes)
                        tally.size += Int64(bytes.readableBytes)
                    }
                }
            )
            tally.withLock { $0.isWhole = true }
        }
        let (crc, size, isWhole) = tally.withLock { $0 }
        guard isWhole else {
            throw StorageError(
                .incompleteWrite,
                "object \(object) of backup \(name): the store holds \(confirmed) bytes and did not take all"
            )
        }
        guard confirmed == size else {
            throw StorageError(
                .incompleteWrite,
                "object \(object) of backup \(name): \(size) bytes were written, the store holds \(confirmed)"
            )
        }
        return StoredObject(name: object, size: size, crc32: crc.value)
    }
}

private struct HashingSink: ObjectSink {
    let next: any ObjectSink
    let note: @Sendable (ByteBuffer) -> Void

    func write(_ bytes: ByteBuffer) async throws {
        try await next.write(bytes)
        note(bytes)
    }
}
