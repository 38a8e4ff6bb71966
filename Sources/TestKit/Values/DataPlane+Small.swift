package import Compression
package import Concurrency
package import Engines

extension DataPlane {
    /// A data plane for a few small files: chunks of gzip of 100,000 bytes, 16 MiB in flight.
    package static func small(
        _ threads: BlockingThreads,
        codec: RecordedCodec = RecordedCodec(.gzip(level: .isal(1))),
        concurrency: Int = 1
    ) -> DataPlane {
        DataPlane(
            threads: threads,
            codec: codec,
            blockSize: 100_000,
            blocksInFlight: nil,
            concurrency: concurrency,
            flightBudget: 16 << 20
        )
    }
}
