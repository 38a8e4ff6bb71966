import Compression
import NIOCore
import Storage
import Streams
import SystemPackage

/// Reads one file in chunks, compresses them in parallel and writes them in order.
struct FileEncoder: Sendable {
    let path: FilePath
    let codec: Codec
    let dataPlane: DataPlane

    private struct Chunk: Sendable {
        var stored: ByteBuffer
        var raw: Int
    }

    /// Writes the whole object.
    ///
    /// - Parameters:
    ///   - sink: takes the object, in order.
    ///   - passed: called with the raw bytes of each chunk after it was written.
    /// - Throws: ``FileError``; ``EngineError`` with code `fileChanged` when the file is not the same at the end.
    func encode(into sink: any ObjectSink, passed: @escaping @Sendable (Int64) -> Void) async throws {
        let (path, dataPlane, codec) = (path, dataPlane, codec)
        let file = try await dataPlane.threads.run {
            try fileCall("open", path) { try SystemPackage.FileDescriptor.open(path, .readOnly, options: .closeOnExec) }
        }
        try await withCleanup {
            let before = try fileCall("stat", path) { try file.sizeAndChange() }
            file.adviseSequential()
            let chunkSize = dataPlane.chunkSize
            var count = Int((before.size + Int64(chunkSize) - 1) / Int64(chunkSize))
            // A reader of gzip takes an empty object for a truncated one: an empty file is one empty member.
            if count == 0, codec != .identity { count = 1 }
            try await withOrderedWindow(count: count, window: dataPlane.window, slots: dataPlane.slots) { index in
                let offset = Int64(index) * Int64(chunkSize)
                let length = Int(min(Int64(chunkSize), before.size - offset))
                return try await dataPlane.threads.run {
                    try dataPlane.encoders.with { try Self.chunk(of: file, path, offset, length, workspace: $0) }
                }
            } consume: { chunk in
                try await sink.write(chunk.stored)
                passed(Int64(chunk.raw))
            }
            let after = try fileCall("stat", path) { try file.sizeAndChange() }
            guard before == after else {
                throw EngineError(
                    .fileChanged,
                    "\(path) changed while it was copied, although mysqld is stopped; HINT: find out who writes there"
                )
            }
        } cleanup: {
            try await dataPlane.threads.run { try file.close() }
        }
    }

    private static func chunk(
        of file: SystemPackage.FileDescriptor,
        _ path: FilePath,
        _ offset: Int64,
        _ length: Int,
        workspace: EncodingWorkspace
    ) throws -> Chunk {
        let input = UnsafeMutableRawBufferPointer(rebasing: workspace.input.bytes[..<length])
        let count = try fileCall("read", path) { try file.readFully(into: input, at: offset) }
        guard count == length else {
            throw EngineError(.fileChanged, "\(path) ended at byte \(offset + Int64(count)) while it was copied")
        }
        file.adviseDone(offset: offset, count: length)
        let content = UnsafeRawBufferPointer(input)
        let stored = try workspace.encoder?.member(content) ?? ByteBuffer(bytes: content)
        return Chunk(stored: stored, raw: length)
    }
}
