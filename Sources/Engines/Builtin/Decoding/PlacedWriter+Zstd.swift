import Compression
import NIOCore
import Streams

extension PlacedWriter {
    /// Windows above this are decoded one at a time: they would not fit into memory together.
    private static let sharedWindow = 16 << 20

    /// Decodes Zstandard: frames that say how much they hold in parallel, and from the first other one on in order.
    /// - Returns: bytes of content.
    func writeZstd(_ source: inout HashedSource) async throws -> Int64 {
        let written = try await writeUnits {
            try await nextFrame(&source)
        } decode: { workspace, frame, content in
            try workspace.zstd.decode(frame, into: content)
        }
        if try await source.isAtEnd() { return written }
        let frame = try source.peek { try ZstdFrame(header: $0) }
        let isLarge = (frame?.windowSize ?? 0) > Self.sharedWindow
        if isLarge { try await dataPlane.largeWindow.acquire() }
        defer { if isLarge { dataPlane.largeWindow.release() } }
        return try await writeStream(&source, after: written, with: ZstdDecoder())
    }

    /// Cuts the next whole frame; `nil` at the end of the object, or when the rest must be decoded in order.
    private func nextFrame(_ source: inout HashedSource) async throws -> Unit? {
        try await source.fill(to: ZstdFrame.maximumHeader)
        guard source.front.readableBytes > 0,
            let frame = try source.peek({ try ZstdFrame(header: $0) }),
            let contentLength = frame.contentLength, contentLength <= ZstdFrame.maximumContent
        else { return nil }
        let bound = Codec.bound(contentLength)
        var extent = ZstdFrame.Extent.atLeast(0)
        while case .atLeast(let needed) = extent {
            // A frame that takes more than its content is no good one; the stream decoder says what is wrong.
            guard needed <= bound else { return nil }
            try await source.fill(to: needed, expecting: bound)
            if source.front.readableBytes < needed { return nil }
            extent = source.peek { frame.extent(of: $0) }
        }
        guard case .whole(let length) = extent else { return nil }
        return source.cut(length).map { Unit(bytes: $0, contentLength: contentLength) }
    }
}
