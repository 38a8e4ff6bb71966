import Concurrency
import Logging
import NIOCore
import Processes

extension PlacedWriter {
    /// Writes the pieces as they are, several at once.
    /// - Returns: bytes written.
    func copy(_ source: inout HashedSource) async throws -> Int64 {
        var written: Int64 = 0
        let (dataPlane, writer) = (dataPlane, self)
        try await withOrderedWindow(window: dataPlane.window, slots: dataPlane.slots) {
            guard let bytes = try await source.next() else { return nil }
            let offset = try place(bytes.readableBytes, at: written)
            written += Int64(bytes.readableBytes)
            return (Piece(bytes: bytes, offset: offset), bytes.readableBytes)
        } produce: { (piece: Piece) in
            try await dataPlane.threads.run {
                try piece.bytes.withUnsafeReadableBytes { try writer.write($0, at: piece.offset) }
            }
        } consume: { _ in
        }
        return written
    }

    private struct Piece: Sendable {
        var bytes: ByteBuffer
        var offset: Int64
    }

    /// Has a command of the operator's decode the object.
    /// - Returns: bytes of content.
    func write(_ source: inout HashedSource, through command: ExternalCommand) async throws -> Int64 {
        let (input, output) = (Handover(source), Handover(Int64(0)))
        let writer = self
        logger.info("Decompressing using external command: \"\(command)\"")
        try await ExternalProcess(command) { writer.logger.info("decompressor stderr: \($0)") }.run {
            try await input.value.next()
        } output: { content in
            let offset = try writer.place(content.readableBytes, at: output.value)
            try await writer.dataPlane.threads.run {
                try content.withUnsafeReadableBytes { try writer.write($0, at: offset) }
            }
            output.value += Int64(content.readableBytes)
        }
        source = input.value
        return output.value
    }
}

/// A value that one task at a time uses: the process's input and output each have their own.
private final class Handover<Value>: @unchecked Sendable {
    var value: Value

    init(_ value: Value) {
        self.value = value
    }
}
