import Compression
import Concurrency
import Host
import Logging
import NIOCore
import SystemPackage

/// Decodes one object into its place in a file.
///
/// What an object's format lets decode on its own is decoded in parallel; everything else goes through a
/// ``StreamDecoder``.
struct PlacedWriter: Sendable {
    let target: SystemPackage.FileDescriptor
    let path: FilePath
    let start: Int64
    /// No more content than this may come out; `nil`: unknown.
    let limit: Int64?
    let dataPlane: DataPlane
    let counted: ByteCount
    /// Whether members of foreign gzip are looked for.
    let guesses: Bool
    /// Bytes that decoding a Zstandard stream takes, as far as an earlier attempt has shown.
    let window: Int
    let writeBehind: WriteBehind
    /// Of a tablespace; `nil`: the file has none.
    private let holes: PageHoles?
    private let end: FileEnd
    let logger: Logger

    init(
        target: SystemPackage.FileDescriptor,
        path: FilePath,
        start: Int64,
        limit: Int64?,
        dataPlane: DataPlane,
        counted: ByteCount,
        guesses: Bool,
        window: Int = 0,
        durable: Bool,
        logger: Logger
    ) {
        (self.target, self.path, self.start, self.limit) = (target, path, start, limit)
        (self.dataPlane, self.counted, self.guesses, self.logger) = (dataPlane, counted, guesses, logger)
        self.window = window
        holes = path.lastComponent?.extension == "ibd" ? PageHoles() : nil
        end = FileEnd(target, size: limit.map { start + $0 })
        writeBehind = WriteBehind(target, from: start, waits: durable)
    }

    /// Decodes the object.
    /// - Returns: bytes of content.
    func write(_ source: inout HashedSource, as format: StoredFormat) async throws -> Int64 {
        try await source.fill(to: StoredFormat.recognizedLength)
        try source.peek { try format.recognize($0) }
        return switch format {
        case .identity: try await copy(&source)
        case .gzip: try await writeGzip(&source)
        case .zstd: try await writeZstd(&source)
        case .lz4: try await writeLZ4(&source)
        case .external(let command): try await write(&source, through: command)
        }
    }

    // MARK: Units

    /// Bytes that decode on their own, and how much content they hold.
    struct Unit: Sendable {
        /// In order, as they came.
        var parts: [ByteBuffer]
        var contentLength: Int

        /// Bytes that the unit holds on to, with its content.
        var weight: Int { parts.reduce(contentLength) { $0 + $1.readableBytes } }
    }

    /// Units that follow each other, with their places: what one thread decodes at a time.
    struct Batch: Sendable {
        private(set) var units: [(unit: Unit, offset: Int64)] = []
        private(set) var weight = 0
        private var content = 0

        /// Whether going from thread to thread costs next to nothing, for so much.
        ///
        /// Whatever an object claims, it does not gather without end: not even units without content.
        var isEnough: Bool { content >= 1 << 20 || weight >= 2 << 20 || units.count >= 16 }

        mutating func add(_ unit: Unit, at offset: Int64) {
            units.append((unit, offset))
            weight += unit.weight
            content += unit.contentLength
        }
    }

    /// Decodes units in parallel, each into its place.
    /// - Parameters:
    ///   - written: content before the first unit.
    ///   - next: cuts the next unit; `nil` at the end.
    ///   - decode: decodes a unit with the tables of one thread; content must be filled exactly.
    /// - Returns: bytes of content, `written` included.
    /// - Throws: what `next` and `decode` throw; ``EngineError`` or ``FileError``.
    func writeUnits(
        after written: Int64 = 0,
        _ next: () async throws -> Unit?,
        decode:
            @escaping @Sendable (DecodingWorkspace, UnsafeRawBufferPointer, UnsafeMutableRawBufferPointer) throws ->
            Void
    ) async throws -> Int64 {
        var (written, inFlight, held) = (written, 0, 0)
        defer { dataPlane.slots.release(held) }
        return try await withThrowingTaskGroup(of: Int.self) { group in
            while let batch = try await nextBatch(next, &written) {
                let weight = min(batch.weight, dataPlane.slots.count)
                // With nothing in flight it waits for others; else only for its own, so that files cannot block each
                // other for ever.
                if inFlight == 0 {
                    try await dataPlane.slots.acquire(weight)
                } else {
                    while inFlight >= dataPlane.units || !dataPlane.slots.tryAcquire(weight) {
                        guard let done = try await group.next() else {
                            try await dataPlane.slots.acquire(weight)
                            break
                        }
                        dataPlane.slots.release(done)
                        (inFlight, held) = (inFlight - 1, held - done)
                    }
                }
                (inFlight, held) = (inFlight + 1, held + weight)
                group.addTask(executorPreference: dataPlane.threads.executor) {
                    try await dataPlane.threads.run {
                        for (unit, offset) in batch.units { try write(unit, at: offset, decode) }
                    }
                    return weight
                }
            }
            // One by one: `waitForAll` would go on waiting after an error, without cancelling anything.
            while try await group.next() != nil {}
            return written
        }
    }

    /// Collects units and gives each its place behind `written`, which is moved on; `nil` at the end.
    private func nextBatch(_ next: () async throws -> Unit?, _ written: inout Int64) async throws -> Batch? {
        var batch = Batch()
        while !batch.isEnough, let unit = try await next() {
            batch.add(unit, at: try place(unit.contentLength, at: written))
            written += Int64(unit.contentLength)
        }
        return batch.units.isEmpty ? nil : batch
    }

    private func write(
        _ unit: Unit,
        at offset: Int64,
        _ decode: (DecodingWorkspace, UnsafeRawBufferPointer, UnsafeMutableRawBufferPointer) throws -> Void
    ) throws {
        try dataPlane.decoders.with { workspace in
            let content = workspace.content(unit.contentLength)
            try workspace.joined(unit.parts) { try decode(workspace, $0, content) }
            try write(UnsafeRawBufferPointer(content), at: offset)
        }
    }

    // MARK: Streams

    /// Decodes what is left of the object in order.
    /// - Parameters:
    ///   - source: gives the rest.
    ///   - written: content before that.
    ///   - decoder: goes from thread to thread with the file, one job at a time.
    /// - Returns: bytes of content, `written` included.
    /// - Throws: ``CompressionError``, ``EngineError``, ``FileError`` or what the source throws.
    func writeStream(
        _ source: inout HashedSource,
        after written: Int64 = 0,
        with decoder: any StreamDecoder
    ) async throws -> Int64 {
        let stream = StreamState(decoder, written: written)
        while let piece = try await source.next() {
            try await dataPlane.threads.run {
                try piece.withUnsafeReadableBytes { bytes in
                    try stream.decoder.decode(next: bytes, scratch: stream.scratch.bytes) { content in
                        try write(content, at: try place(content.count, at: stream.written))
                        stream.written += Int64(content.count)
                    }
                }
            }
        }
        try stream.decoder.endStream()
        return stream.written
    }

    /// Used by one job after another, each awaited before the next begins.
    private final class StreamState: @unchecked Sendable {
        let decoder: any StreamDecoder
        let scratch = RawBuffer(count: 1 << 20)
        var written: Int64

        init(_ decoder: any StreamDecoder, written: Int64) {
            (self.decoder, self.written) = (decoder, written)
        }
    }

    // MARK: Placing

    /// Where content goes that follows `written` bytes of this object.
    /// - Throws: ``EngineError`` when the object has more content than the manifest says: a bomb is not unpacked.
    func place(_ count: Int, at written: Int64) throws -> Int64 {
        if let limit, written + Int64(count) > limit {
            throw EngineError(.damagedBackup, "the object has more content than the \(limit) bytes of its file")
        }
        return start + written
    }

    /// Writes content at its place, but for what was a hole; blocking.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        try fileCall("write", path) {
            let parts = holes?.written(of: bytes, at: offset) ?? [0..<bytes.count]
            if holes?.hasShown == true { try end.reach(offset + Int64(bytes.count)) }
            for part in parts {
                let content = UnsafeRawBufferPointer(rebasing: bytes[part])
                try target.writeFully(content, at: offset + Int64(part.lowerBound))
            }
            try writeBehind.wrote(bytes.count)
        }
        counted.add(Int64(bytes.count))
    }
}
