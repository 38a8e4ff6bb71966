import CLZ4

/// Decodes any stream of LZ4 frames piece by piece, with dependent blocks too.
///
/// One per thread at a time.
package final class LZ4Decoder: StreamDecoder {
    private var context: OpaquePointer?
    /// A frame has begun and not ended.
    private var insideFrame = false
    private var frames = 0

    /// Begins a fresh stream.
    package init() {
        _ = LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))
    }

    deinit {
        _ = LZ4F_freeDecompressionContext(context)
    }

    package func decode(
        next piece: UnsafeRawBufferPointer,
        scratch: UnsafeMutableRawBufferPointer,
        output: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var read = 0
        var isFull = false
        // A full output says that more content may be waiting although all input is used up.
        while read < piece.count || isFull {
            var (written, used) = (scratch.count, piece.count - read)
            let code = LZ4F_decompress(
                context,
                scratch.baseAddress,
                &written,
                piece.baseAddress.map { $0 + read },
                &used,
                nil
            )
            guard LZ4F_isError(code) == 0 else { throw failure(code, at: piece[(piece.startIndex + read)...]) }
            read += used
            insideFrame = code != 0
            if code == 0 { frames += 1 }
            if written > 0 { try output(UnsafeRawBufferPointer(rebasing: scratch[..<written])) }
            isFull = written == scratch.count && code != 0
        }
    }

    /// The library takes no input of a call that fails: `rest` begins with the frame's header, if that came in one piece.
    private func failure(_ code: Int, at rest: Slice<UnsafeRawBufferPointer>) -> CompressionError {
        let header = UnsafeRawBufferPointer(rebasing: rest.prefix(LZ4FrameHeader.maximumLength))
        if !insideFrame {
            do throws(CompressionError) {
                _ = try LZ4FrameHeader(header)
            } catch  where error.code == .unsupported {
                return error
            } catch {
                // The library says it better.
            }
        }
        let text = String(cString: LZ4F_getErrorName(code))
        return CompressionError(.corrupt, "LZ4 stream is damaged in frame \(frames + 1): \(text)")
    }

    /// An object without any byte is an empty file.
    package func endStream() throws(CompressionError) {
        guard !insideFrame else {
            throw CompressionError(.corrupt, "LZ4 stream is truncated after \(frames) whole frames")
        }
    }
}
