import Compression
import Concurrency
import NIOCore

extension PlacedWriter {
    /// Decodes LZ4: independent blocks in parallel, dependent ones and older formats in order.
    /// - Returns: bytes of content.
    func writeLZ4(_ source: inout HashedSource) async throws -> Int64 {
        var written: Int64 = 0
        while true {
            try await source.fill(to: LZ4FrameHeader.maximumLength)
            // An object without any byte is an empty file; the end of a frame may be the end of the object.
            if source.front.readableBytes == 0 { return written }
            guard let frame = try header(source), frame.hasIndependentBlocks else {
                return try await writeStream(&source, after: written, with: LZ4Decoder())
            }
            _ = source.cut(frame.length)
            try await writeBlocks(of: frame, &source, &written)
        }
    }

    /// - Returns: `nil` for what the stream decoder shall judge, which also knows frames that are to be skipped.
    private func header(_ source: HashedSource) throws -> LZ4FrameHeader? {
        do {
            return try source.peek { try LZ4FrameHeader($0) }
        } catch let error as CompressionError where error.code == .corrupt {
            return nil
        }
    }

    private func writeBlocks(
        of frame: LZ4FrameHeader,
        _ source: inout HashedSource,
        _ written: inout Int64
    ) async throws {
        let (checksum, before) = (XXHash32(), written)
        var expected: UInt32?
        let dataPlane = dataPlane
        try await withOrderedWindow(window: dataPlane.window, slots: dataPlane.slots) {
            switch try await nextBlock(of: frame, &source) {
            case .block(let block): return (block, block.bytes.readableBytes + frame.maximumBlock)
            case .end(let checksum):
                expected = checksum
                return nil
            case .incomplete(let needed):
                throw CompressionError(
                    .corrupt,
                    "LZ4 frame is truncated: \(source.front.readableBytes) bytes of at least \(needed)"
                )
            }
        } produce: { block in
            try await dataPlane.threads.run { try block.decoded(maximum: frame.maximumBlock) }
        } consume: { content in
            if frame.hasContentChecksum { checksum.update(content) }
            let offset = try place(content.readableBytes, at: written)
            let writer = self
            try await dataPlane.threads.run {
                try content.withUnsafeReadableBytes { try writer.write($0, at: offset) }
            }
            written += Int64(content.readableBytes)
        }
        if let expected, expected != checksum.value {
            throw CompressionError(.corrupt, "checksum mismatch in an LZ4 frame")
        }
        if let length = frame.contentLength, length != UInt64(written - before) {
            throw CompressionError(.corrupt, "LZ4 frame of \(written - before) bytes says that it has \(length)")
        }
    }

    private func nextBlock(of frame: LZ4FrameHeader, _ source: inout HashedSource) async throws -> LZ4Block.Next {
        while true {
            let next = try source.cut { try LZ4Block.next(in: frame, from: &$0) }
            switch next {
            case .incomplete(let needed):
                try await source.fill(to: needed)
                if source.front.readableBytes < needed { return next }
            case .block, .end: return next
            }
        }
    }
}
