package import Compression
import InnoDB

/// What a data plane has in work at once, cut down to what a memory budget is enough for.
///
/// Threads, blocks and open files each take memory of their own: with 64 cores, blocks of 32 MiB or 200 files open at once
/// the bound on chunks in flight alone would not keep the promise.
package struct DataPlaneSize: Hashable, Sendable {
    /// What is asked for: cores to use, `--backup-storage-block-size`, `--concurrency`; or what there is enough for.
    package struct Amounts: Hashable, Sendable {
        package var threads: Int
        package var blockSize: Int
        package var concurrency: Int

        /// Creates them.
        package init(threads: Int, blockSize: Int, concurrency: Int) {
            (self.threads, self.blockSize, self.concurrency) = (threads, blockSize, concurrency)
        }
    }

    /// What there is enough for.
    package let amounts: Amounts
    /// Bytes that all chunks in flight may take together.
    package let flightBudget: Int

    /// No block is smaller: more of them make neither a core nor a disk faster, and nothing fits in less than a page.
    private static let smallestBlock = TablespaceFormat.largestPage
    /// What an open file takes besides its chunks: the piece that its store reads.
    private static let ofOpenFile = 1 << 20

    /// Cuts `asked` down.
    ///
    /// Blocks get so large that every thread's, and the one that is read meanwhile, take a third of the budget, and open
    /// files take half of it at most: the rest bridges a store that stalls. Chunks of the other codecs have one size only:
    /// there the number of threads is what is left to cut.
    package init(_ asked: Amounts, codec: Codec, flightBudget: Int) {
        self.flightBudget = flightBudget
        var fitting = asked
        let smallest = min(codec.chunkSize(blockSize: asked.blockSize), codec.chunkSize(blockSize: Self.smallestBlock))
        fitting.threads = max(1, min(asked.threads, flightBudget / Self.ofThread(codec, chunk: smallest)))
        if codec.chunkSize(blockSize: asked.blockSize) > smallest {
            let most = flightBudget / 3 / (fitting.threads + 1)
            // The inverse of what a thread takes: the block, and what it may become.
            fitting.blockSize = max(Self.smallestBlock, min(asked.blockSize, most * 8 / 17))
        }
        fitting.concurrency = max(1, min(asked.concurrency, flightBudget / 2 / Self.ofOpenFile))
        amounts = fitting
    }

    /// Bytes of a thread's buffer and of a chunk that it works on.
    private static func ofThread(_ codec: Codec, chunk: Int) -> Int { chunk + codec.weight(chunkSize: chunk) }
}
