import Compression
import NIOCore
import Streams

extension PlacedWriter {
    /// Decodes gzip: members of ours in parallel, since their header says where each belongs; any other stream in order.
    /// - Returns: bytes of content.
    func writeGzip(_ source: inout HashedSource) async throws -> Int64 {
        var received = ByteBuffer()
        try await source.fill(&received, to: GzipMember.headerSize)
        guard try received.withUnsafeReadableBytes({ try GzipMember(header: $0) }) != nil else {
            return try await writeStream(&source, from: received, with: GzipDecoder())
        }
        return try await writeUnits {
            try await nextMember(&source, &received)
        } decode: { workspace, member, content in
            try workspace.gzip.decode(member, into: content)
        }
    }

    /// Cuts the next whole member of ours; `nil` at the end of the object.
    private func nextMember(_ source: inout HashedSource, _ received: inout ByteBuffer) async throws -> Unit? {
        try await source.fill(&received, to: GzipMember.headerSize)
        if received.readableBytes == 0 { return nil }
        guard let member = try received.withUnsafeReadableBytes({ try GzipMember(header: $0) }) else {
            throw CompressionError(
                .corrupt,
                received.readableBytes < GzipMember.headerSize
                    ? "gzip stream is truncated: \(received.readableBytes) bytes of a member"
                    : "a gzip member without our header follows one with it"
            )
        }
        try await source.fill(&received, to: member.length)
        guard let bytes = received.readSlice(length: member.length) else {
            throw CompressionError(
                .corrupt,
                "gzip stream is truncated: \(received.readableBytes) bytes of a member of \(member.length)"
            )
        }
        return Unit(bytes: bytes, contentLength: member.contentLength)
    }
}
