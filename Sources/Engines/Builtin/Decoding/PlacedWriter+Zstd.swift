import Compression
import NIOCore
import Streams

extension PlacedWriter {
    /// Windows above this are decoded one at a time: they would not fit into memory together.
    private static let sharedWindow = 16 << 20

    /// Decodes Zstandard: frames that say how much they hold in parallel, and from the first other one on in order.
    /// - Returns: bytes of content.
    func writeZstd(_ source: inout HashedSource) async throws -> Int64 {
        var received = ByteBuffer()
        let written = try await writeUnits {
            try await nextFrame(&source, &received)
        } decode: { workspace, frame, content in
            try workspace.zstd.decode(frame, into: content)
        }
        if received.readableBytes == 0 { return written }
        let frame = try received.withUnsafeReadableBytes { try ZstdFrame(header: $0) }
        let isLarge = (frame?.windowSize ?? 0) > Self.sharedWindow
        if isLarge { try await dataPlane.largeWindow.acquire() }
        defer { if isLarge { dataPlane.largeWindow.release() } }
        return try await writeStream(&source, from: received, after: written, with: ZstdDecoder())
    }

    /// Cuts the next whole frame; `nil` at the end of the object, or when the rest must be decoded in order.
    private func nextFrame(_ source: inout HashedSource, _ received: inout ByteBuffer) async throws -> Unit? {
        try await source.fill(&received, to: ZstdFrame.maximumHeader)
        guard received.readableBytes > 0,
            let frame = try received.withUnsafeReadableBytes({ try ZstdFrame(header: $0) }),
            let contentLength = frame.contentLength, contentLength <= ZstdFrame.maximumContent
        else { return nil }
        // A frame that would take more than its content is no good one; the stream decoder says what is wrong.
        let bound = Codec.bound(contentLength)
        while true {
            if let length = try received.withUnsafeReadableBytes({ try ZstdFrame.length($0) }) {
                return received.readSlice(length: length).map { Unit(bytes: $0, contentLength: contentLength) }
            }
            let before = received.readableBytes
            if before > bound { return nil }
            try await source.fill(&received, to: before + 1)
            if received.readableBytes == before { return nil }
        }
    }
}
