import Compression
import NIOCore
import Streams
import SystemPackage

/// Decodes one object into its place in a file.
///
/// Members of ours are decoded in parallel, since their header says where each belongs; any other gzip stream is
/// decoded in order.
struct PlacedWriter: Sendable {
    let target: SystemPackage.FileDescriptor
    let path: FilePath
    let start: Int64
    /// No more content than this may come out; `nil`: unknown.
    let limit: Int64?
    let dataPlane: DataPlane
    let counted: ByteCount

    /// Writes the pieces as they are.
    /// - Returns: bytes written.
    func copy(_ source: inout HashedSource) async throws -> Int64 {
        var written: Int64 = 0
        while let piece = try await source.next() {
            let offset = try place(piece.readableBytes, at: written)
            try await dataPlane.threads.run {
                try piece.withUnsafeReadableBytes { try write($0, at: offset) }
            }
            written += Int64(piece.readableBytes)
        }
        return written
    }

    /// Decodes a gzip stream, ours or another's.
    /// - Returns: bytes of content.
    func inflate(_ source: inout HashedSource) async throws -> Int64 {
        var received = ByteBuffer()
        while received.readableBytes < GzipMember.headerSize, let piece = try await source.next() {
            received.writeImmutableBuffer(piece)
        }
        let isOurs = try received.withUnsafeReadableBytes { try GzipMember(header: $0) } != nil
        return isOurs ? try await inflateMembers(&source, received) : try await inflateStream(&source, received)
    }

    // MARK: Members of ours

    private func inflateMembers(_ source: inout HashedSource, _ beginning: ByteBuffer) async throws -> Int64 {
        var received = beginning
        var written: Int64 = 0
        var held = 0
        defer { for _ in 0..<held { dataPlane.slots.release() } }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            while let (member, contentLength) = try await nextMember(&source, &received) {
                if held == 0 {
                    try await dataPlane.slots.acquire()
                    held = 1
                } else if held < dataPlane.window, dataPlane.slots.tryAcquire() {
                    held += 1
                } else {
                    // Its slot goes over to this member.
                    try await group.next()
                }
                let offset = try place(contentLength, at: written)
                group.addTask { try await inflate(member, contentLength, at: offset) }
                written += Int64(contentLength)
            }
            try await group.waitForAll()
            return written
        }
    }

    /// Cuts the next whole member; `nil` at the end of the object.
    private func nextMember(
        _ source: inout HashedSource,
        _ received: inout ByteBuffer
    ) async throws -> (ByteBuffer, Int)? {
        var needed = GzipMember.headerSize
        while true {
            if received.readableBytes >= needed {
                guard let member = try received.withUnsafeReadableBytes({ try GzipMember(header: $0) }) else {
                    throw CompressionError(.corrupt, "a gzip member without our header follows one with it")
                }
                if received.readableBytes >= member.length, let bytes = received.readSlice(length: member.length) {
                    return (bytes, member.contentLength)
                }
                needed = member.length
            }
            guard let piece = try await source.next() else {
                if received.readableBytes == 0 { return nil }
                throw CompressionError(
                    .corrupt,
                    "gzip stream is truncated: \(received.readableBytes) bytes of a member of \(needed)"
                )
            }
            if received.readableBytes == 0 {
                received = piece
            } else {
                received.discardReadBytes()
                received.writeImmutableBuffer(piece)
            }
        }
    }

    private func inflate(_ member: ByteBuffer, _ contentLength: Int, at offset: Int64) async throws {
        try await dataPlane.threads.run {
            try dataPlane.decoders.with { workspace in
                workspace.reserve(contentLength)
                let content = UnsafeMutableRawBufferPointer(rebasing: workspace.output.bytes[..<contentLength])
                try member.withUnsafeReadableBytes { try workspace.decoder.decode($0, into: content) }
                try write(UnsafeRawBufferPointer(content), at: offset)
            }
        }
    }

    // MARK: Streams of others

    private func inflateStream(_ source: inout HashedSource, _ beginning: ByteBuffer) async throws -> Int64 {
        // The decoder goes from thread to thread with the file, one job at a time.
        let stream = StreamState()
        var next: ByteBuffer? = beginning
        while let piece = next {
            try await dataPlane.threads.run {
                try piece.withUnsafeReadableBytes { bytes in
                    try stream.workspace.decoder.decode(next: bytes, scratch: stream.workspace.output.bytes) {
                        content in
                        let offset = try place(content.count, at: stream.written)
                        try write(content, at: offset)
                        stream.written += Int64(content.count)
                    }
                }
            }
            next = try await source.next()
        }
        try stream.workspace.decoder.endStream()
        return stream.written
    }

    /// Used by one job after another, each awaited before the next begins.
    private final class StreamState: @unchecked Sendable {
        let workspace = DecodingWorkspace()
        var written: Int64 = 0
    }

    // MARK: Placing

    /// Where content goes that follows `written` bytes of this object.
    /// - Throws: ``EngineError`` when the object has more content than the manifest says: a bomb is not unpacked.
    private func place(_ count: Int, at written: Int64) throws -> Int64 {
        if let limit, written + Int64(count) > limit {
            throw EngineError(.damagedBackup, "the object has more content than the \(limit) bytes of its file")
        }
        return start + written
    }

    private func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        try fileCall("write", path) { try target.writeFully(bytes, at: offset) }
        counted.add(Int64(bytes.count))
    }
}
