package import Compression
package import Streams

/// What all copies of a pass share: threads, working memory, and the bound on bytes in flight.
///
/// One pool serves all files, so that one huge table keeps every core as busy as a thousand small ones. Memory is
/// `slots` times the bound of a chunk plus one workspace a thread, whatever the size and number of the files.
package struct DataPlane: Sendable {
    /// For reading, compressing, decoding and writing files.
    package let threads: BlockingThreads
    /// Bytes of a file that are compressed on their own.
    package let chunkSize: Int
    /// Chunks of one file that are in flight at most.
    package let window: Int
    let slots: Slots
    let encoders: Workspaces<EncodingWorkspace>
    let decoders: Workspaces<DecodingWorkspace>

    /// Bytes that chunks in flight may take together.
    package static let flightBudget = 96 << 20

    /// Sizes everything from the cores and the chunk.
    /// - Parameters:
    ///   - threads: as many as there are cores to use.
    ///   - codec: how new backups are compressed.
    ///   - chunkSize: raw bytes of a chunk.
    ///   - blocksInFlight: `--backup-storage-number-blocks` when given; otherwise enough to keep all threads busy.
    package init(threads: BlockingThreads, codec: Codec, chunkSize: Int, blocksInFlight: Int?) {
        self.threads = threads
        self.chunkSize = chunkSize
        let slotCount = min(64, max(threads.count + 1, Self.flightBudget / GzipMember.bound(chunkSize)))
        slots = Slots(count: slotCount)
        window = min(slotCount, blocksInFlight ?? 2 * threads.count + 4)
        encoders = Workspaces { EncodingWorkspace(codec: codec, chunkSize: chunkSize) }
        decoders = Workspaces { DecodingWorkspace() }
    }
}

/// A thread's memory for reading and compressing one chunk.
final class EncodingWorkspace {
    let input: RawBuffer
    let encoder: GzipEncoder?

    init(codec: Codec, chunkSize: Int) {
        input = RawBuffer(count: chunkSize)
        encoder = if case .gzip(let level) = codec { GzipEncoder(level: level) } else { nil }
    }
}

/// A thread's memory for decoding one member; grows with the members it meets, up to their limit.
final class DecodingWorkspace {
    let decoder = GzipDecoder()
    private(set) var output = RawBuffer(count: 1 << 18)

    func reserve(_ count: Int) {
        if output.bytes.count < count { output = RawBuffer(count: count) }
    }
}
