import Catalog
import Compression
import Concurrency
import Host
import Logging
import NIOCore
import Storage
import SystemPackage

/// Restores one file from its object, or from its chunks' objects, checking hash and sizes.
struct FileDecoder: Sendable {
    let file: FileEntry
    let index: Int
    let place: ConfinedPath
    let format: StoredFormat
    let owner: FileOwner?
    let durable: Bool
    let dataPlane: DataPlane
    let logger: Logger

    private var path: FilePath { place.path }

    /// Writes the whole file anew.
    /// - Throws: ``EngineError`` with code `damagedBackup`, ``CompressionError``, ``FileError`` or ``StorageError``.
    func decode(from reader: any BackupReader, meter: TransferMeter) async throws {
        let target = try await dataPlane.threads.run { try FileTree.create(place, owner: owner) }
        let counted = ByteCount(meter: meter)
        do {
            try await withCleanup {
                for part in try parts() {
                    try await restore(part, from: reader, to: target, counted: counted)
                }
                if durable { try await dataPlane.threads.run { try FileTree.sync(target, path) } }
            } cleanup: {
                try await dataPlane.threads.run { try target.finish() }
            }
        } catch {
            counted.discard()
            throw error
        }
    }

    // MARK: Objects

    /// One object and the place of its content in the file.
    private struct Part {
        var object: ObjectName
        var offset: Int64
        /// Bytes of content; `nil` when the manifest does not say.
        var size: Int64?
        var hash: UInt32
    }

    private func parts() throws -> [Part] {
        if file.chunks.isEmpty {
            return [Part(object: .file(index), offset: 0, size: file.sizes?.raw, hash: file.hash)]
        }
        return try file.chunks.map {
            Part(object: try ObjectName($0.storageName), offset: $0.offset, size: $0.size, hash: $0.hash)
        }
    }

    private func restore(
        _ part: Part,
        from reader: any BackupReader,
        to target: SystemPackage.FileDescriptor,
        counted: ByteCount
    ) async throws {
        let (crc, written) = try await writeKnowingly(part, from: reader, to: target, counted: counted)
        // The only part of a file of unknown size ends where the file ends.
        try await end(target, at: part.offset + written, exactly: part.size == nil)
        guard crc.value == part.hash else {
            throw EngineError(
                .damagedBackup,
                "hash mismatch for \(file.shownName), got \(FileEntry.hexadecimal(crc.value)) expected \(FileEntry.hexadecimal(part.hash))"
            )
        }
        if let size = part.size, size != written {
            throw blamed(
                EngineError(
                    .damagedBackup,
                    "size mismatch for \(file.shownName), got \(written) bytes expected \(size)"
                )
            )
        }
    }

    /// Reads an object again when it shows only while it is decoded how that must be done.
    private func writeKnowingly(
        _ part: Part,
        from reader: any BackupReader,
        to target: SystemPackage.FileDescriptor,
        counted: ByteCount
    ) async throws -> (CRC32, Int64) {
        var (guesses, window) = (true, 0)
        while true {
            do {
                return try await write(part, from: reader, to: target, counted: counted, guesses, window: window)
            } catch let error as EngineError {
                throw blamed(error)
            } catch let wrong as PlacedWriter.WrongGuess where guesses {
                logger.warning(
                    "\(file.shownName): object \(part.object) does not decode member by member, reading it in order: \(wrong.cause)"
                )
                guesses = false
            } catch let error as ZstdWindowExceeded where error.needed > window {
                logger.warning(
                    "\(file.shownName): object \(part.object) has a frame that takes \(error.needed >> 20) MiB of memory, reading it again with as much"
                )
                window = error.needed
            }
            // Wrong places may lie behind the true end.
            let (path, offset) = (path, part.offset)
            try await dataPlane.threads.run { try fileCall("truncate", path) { try target.resize(to: offset) } }
        }
    }

    /// A file that ends with a hole is as long as what was written before, and one that was made longer in advance is longer.
    private func end(_ target: SystemPackage.FileDescriptor, at size: Int64, exactly: Bool) async throws {
        let path = path
        try await dataPlane.threads.run {
            try fileCall("truncate", path) {
                let present = try target.sizeAndChange().size
                if present < size || (exactly && present > size) { try target.resize(to: size) }
            }
        }
    }

    /// What an external command made of an object says something of the command first.
    private func blamed(_ error: EngineError) -> any Error {
        guard case .external = format, error.code == .damagedBackup else { return error }
        return CompressionError(
            .external,
            "\(error.message); HINT: see that --external-decompressor fits what the backup was compressed with"
        )
    }

    /// - Returns: the hash of the stored bytes, and the number of bytes of content.
    private func write(
        _ part: Part,
        from reader: any BackupReader,
        to target: SystemPackage.FileDescriptor,
        counted: ByteCount,
        _ guesses: Bool,
        window: Int
    ) async throws -> (CRC32, Int64) {
        let before = counted.bytes
        let writer = PlacedWriter(
            target: target,
            path: path,
            start: part.offset,
            limit: part.size,
            dataPlane: dataPlane,
            counted: counted,
            guesses: guesses,
            window: window,
            durable: durable,
            logger: logger
        )
        do {
            return try await reader.withObject(part.object) { source in
                var source = HashedSource(source)
                let written = try await writer.write(&source, as: format)
                return (source.crc, written)
            }
        } catch {
            counted.reset(to: before)
            throw error
        }
    }
}

/// The bytes that one attempt has added to the meter.
final class ByteCount: Sendable {
    private let meter: TransferMeter
    private let own = TransferMeter()

    init(meter: TransferMeter) {
        self.meter = meter
    }

    func add(_ count: Int64) {
        meter.add(bytes: count)
        own.add(bytes: count)
    }

    var bytes: Int64 { own.reading.bytes }

    /// Forgets what was added since there were so many.
    func reset(to count: Int64) {
        add(count - bytes)
    }

    func discard() {
        reset(to: 0)
    }
}
