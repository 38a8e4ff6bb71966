import Compression
import Concurrency
import NIOCore

extension PlacedWriter {
    /// What every stream counts for: Vitess's default window.
    private static let usualWindow = 8 << 20
    /// Vitess's largest window; a later frame of a stream may have it although the first has a smaller one.
    private static let largestUsualWindow = 32 << 20

    /// Decodes Zstandard: frames that say how much they hold in parallel, and from the first other one on in order.
    /// - Returns: bytes of content.
    /// - Throws: ``ZstdWindowExceeded`` when it would do with more memory than its first frame takes, which there is.
    func writeZstd(_ source: inout HashedSource) async throws -> Int64 {
        let written = try await writeUnits {
            try await nextFrame(&source)
        } decode: { workspace, frame, content in
            try workspace.zstd.decode(frame, into: content)
        }
        if try await source.isAtEnd() { return written }
        let frame = try source.peek { try ZstdFrame(header: $0) }
        // The window is memory for as long as the stream lasts: it counts like chunks in flight.
        // A frame without content says nothing about those behind it.
        let ofFrame = frame?.windowSize == 0 ? Self.largestUsualWindow : frame?.windowSize ?? 0
        let window = max(Self.usualWindow, ofFrame, self.window)
        guard window <= dataPlane.memory else { throw tooLarge(window) }
        try await dataPlane.slots.acquire(window)
        defer { dataPlane.slots.release(window) }
        do {
            return try await writeStream(
                &source,
                after: written,
                with: ZstdDecoder(maximumWindow: max(Self.largestUsualWindow, window))
            )
        } catch let error as ZstdWindowExceeded {
            guard error.needed <= dataPlane.memory else { throw tooLarge(error.needed) }
            throw error
        }
    }

    private func tooLarge(_ window: Int) -> CompressionError {
        CompressionError(
            .unsupported,
            "decoding this zstd object takes \(window >> 20) MiB of memory; HINT: give at least --memory-budget=\((window >> 20) + 64)MiB"
        )
    }

    /// Cuts the next whole frame; `nil` at the end of the object, or when the rest must be decoded in order.
    private func nextFrame(_ source: inout HashedSource) async throws -> Unit? {
        try await source.fill(to: ZstdFrame.maximumHeader)
        guard source.front.readableBytes > 0,
            let frame = try source.peek({ try ZstdFrame(header: $0) }),
            let contentLength = frame.contentLength, contentLength <= ZstdFrame.maximumContent
        else { return nil }
        // A frame that takes more than its content is no good one; the stream decoder says what is wrong.
        let bound = Codec.bound(contentLength)
        var extent = frame.extent
        while !extent.isWhole {
            guard extent.length <= bound else { return nil }
            try await source.gather(extent.length + ZstdFrame.Extent.blockHeaderLength)
            let header = source.bytes(at: extent.length, count: ZstdFrame.Extent.blockHeaderLength)
            guard extent.pass(header) else { return nil }
        }
        guard extent.length <= bound else { return nil }
        try await source.gather(extent.length)
        return source.cut(extent.length).map { Unit(parts: $0, contentLength: contentLength) }
    }
}
