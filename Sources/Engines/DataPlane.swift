package import Compression
package import Concurrency
import InnoDB
import NIOCore

/// What all copies of a pass share: threads, working memory, and the bound on bytes in flight.
///
/// One pool serves all files, so that one huge table keeps every core as busy as a thousand small ones. Memory is the
/// budget of bytes in flight plus one workspace a thread, whatever the size and number of the files. A file whose store
/// stalls fills its own window, which grows with the stalls, and then waits; what it may hold leaves room for every other
/// open file.
package struct DataPlane: Sendable {
    /// For reading, compressing, decoding and writing files.
    package let threads: BlockingThreads
    /// How new backups are compressed, and what their manifest says of it.
    package let recorded: RecordedCodec
    /// Files open at once.
    package let concurrency: Int
    /// Bytes of a file that are compressed on their own.
    package let chunkSize: Int
    /// Chunks of one file that are in flight at most.
    package let window: AdaptiveWindow
    /// Units of one file that are decoded at once at most.
    let units: Int
    /// Bytes that a chunk in flight may take.
    let chunkWeight: Int
    /// Counted in bytes.
    let slots: Slots
    /// Bytes that a single decoder may take: all that is not overhead.
    let memory: Int
    let encoders: Workspaces<EncodingWorkspace>
    let decoders: Workspaces<DecodingWorkspace>

    /// Chunks of one file that are in flight at most when nothing else bounds them.
    private static let maximumWindow = 64

    /// Sizes everything from cores, memory and chunks.
    /// - Parameters:
    ///   - threads: as many as there are cores to use.
    ///   - codec: how new backups are compressed.
    ///   - blockSize: `--backup-storage-block-size`.
    ///   - blocksInFlight: `--backup-storage-number-blocks` when given; otherwise a window is what memory allows.
    ///   - concurrency: files open at once.
    ///   - flightBudget: bytes that all chunks in flight may take together.
    package init(
        threads: BlockingThreads,
        codec: RecordedCodec,
        blockSize: Int,
        blocksInFlight: Int?,
        concurrency: Int,
        flightBudget: Int
    ) {
        (self.threads, recorded, self.concurrency) = (threads, codec, concurrency)
        let codec = codec.codec
        let chunkSize = codec.chunkSize(blockSize: blockSize)
        self.chunkSize = chunkSize
        // A chunk of a tablespace is at least one page.
        let largestChunk = max(chunkSize, TablespaceFormat.largestPage)
        chunkWeight = codec.weight(chunkSize: largestChunk)
        slots = Slots(count: max(flightBudget, (threads.count + 1) * chunkWeight))
        memory = 2 * slots.count
        // What stalled files hold must leave something for every other open file.
        let share = max(1, slots.count / chunkWeight / concurrency)
        units = min(share, blocksInFlight ?? 2 * threads.count + 2)
        window = AdaptiveWindow(units...(blocksInFlight == nil ? max(units, min(Self.maximumWindow, share)) : units))
        encoders = Workspaces { EncodingWorkspace(codec: codec, chunkSize: largestChunk) }
        decoders = Workspaces { DecodingWorkspace() }
    }

    /// How new backups are compressed.
    package var codec: Codec { recorded.codec }
}

extension Codec {
    /// Memory of a chunk between reading and storing.
    func weight(chunkSize: Int) -> Int {
        switch self {
        case .identity, .external: chunkSize
        case .gzip, .zstd: Self.bound(chunkSize)
        // The content is kept for the frame's checksum.
        case .lz4: 2 * chunkSize
        }
    }
}

/// A thread's memory for reading and compressing one chunk.
final class EncodingWorkspace {
    let input: RawBuffer
    let encoder: (any ChunkEncoder)?

    init(codec: Codec, chunkSize: Int) {
        encoder = codec.makeEncoder()
        input = RawBuffer(count: encoder == nil ? 0 : chunkSize)
    }
}

/// A thread's memory for decoding; grows with the units it meets, up to their limit.
final class DecodingWorkspace {
    private(set) lazy var gzip = GzipDecoder()
    private(set) lazy var zstd = ZstdDecoder()
    private var input = RawBuffer(count: 1 << 18)
    private var output = RawBuffer(count: 1 << 18)

    /// More than any usual unit holds; nothing larger is kept.
    private static let usual = 8 << 20

    /// Memory for `count` bytes of content, until the next call.
    func content(_ count: Int) -> UnsafeMutableRawBufferPointer { Self.room(count, in: &output) }

    /// Runs `body` with the bytes of all parts as one.
    func joined(_ parts: [ByteBuffer], _ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        if parts.count == 1 { return try parts[0].withUnsafeReadableBytes(body) }
        let room = Self.room(parts.reduce(0) { $0 + $1.readableBytes }, in: &input)
        var end = 0
        for part in parts {
            part.withUnsafeReadableBytes { UnsafeMutableRawBufferPointer(rebasing: room[end...]).copyMemory(from: $0) }
            end += part.readableBytes
        }
        try body(UnsafeRawBufferPointer(room))
    }

    private static func room(_ count: Int, in buffer: inout RawBuffer) -> UnsafeMutableRawBufferPointer {
        if buffer.bytes.count < count || buffer.bytes.count > max(count, usual) { buffer = RawBuffer(count: count) }
        return UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<count])
    }
}
