import Compression
import Host
import NIOCore
import Storage

extension PlacedWriter {
    /// Decodes gzip: members of ours in parallel, since their header says where each belongs; those of others likewise as
    /// long as they can be told apart, and any other stream in order.
    /// - Returns: bytes of content.
    func writeGzip(_ source: inout HashedSource) async throws -> Int64 {
        try await source.fill(to: GzipMember.headerSize)
        if try source.peek({ try GzipMember(header: $0) }) != nil {
            let written = try await writeUnits {
                try await nextMember(&source)
            } decode: { workspace, member, content in
                try workspace.gzip.decode(member, into: content)
            }
            if try await source.isAtEnd() { return written }
            return try await writeStream(&source, after: written, with: GzipDecoder())
        }
        var written: Int64 = 0
        if guesses, let scan = source.peek({ ForeignGzipScan(first: $0) }) {
            do {
                written = try await writeUnits {
                    try await nextGuess(&source, scan)
                } decode: { workspace, member, content in
                    try workspace.gzip.decode(member, into: content)
                }
            } catch {
                // Also content that seems to be too long: the lengths are a part of the guess.
                if error is FileError || error is StorageError || error is CancellationError { throw error }
                throw WrongGuess(cause: error)
            }
            if try await source.isAtEnd() { return written }
        }
        return try await writeStream(&source, after: written, with: GzipDecoder())
    }

    /// What looked like members of another writer was none, or is damaged: the object must be read again, in order.
    struct WrongGuess: Error {
        var cause: any Error
    }

    /// Cuts the next whole member of ours; `nil` at the end of the object, or when the rest must be decoded in order: from
    /// another writer, or too large.
    private func nextMember(_ source: inout HashedSource) async throws -> Unit? {
        try await source.fill(to: GzipMember.headerSize)
        let count = source.front.readableBytes
        if count == 0 { return nil }
        guard let member = try source.peek({ try GzipMember(header: $0) }) else { return nil }
        try await source.gather(member.length)
        guard let parts = source.cut(member.length) else {
            throw CompressionError(
                .corrupt,
                "gzip stream is truncated: \(source.count) bytes of a member of \(member.length)"
            )
        }
        return Unit(parts: parts, contentLength: member.contentLength)
    }

    /// Cuts what seems to be the next whole member of another writer; `nil` when the rest must be decoded in order.
    private func nextGuess(_ source: inout HashedSource, _ scan: ForeignGzipScan) async throws -> Unit? {
        var seen = 0
        while true {
            let count = source.front.readableBytes
            if let end = source.peek({ scan.end(ofMemberIn: $0, from: seen) }) {
                return try guess(end, &source)
            }
            if count > ForeignGzipScan.maximumMember { return nil }
            seen = count
            try await source.fill(to: count + ForeignGzipScan.step, expecting: ForeignGzipScan.maximumMember / 8)
            if source.front.readableBytes == count {
                // The end of the object is the end of its last member.
                return count == 0 ? nil : try guess(count, &source)
            }
        }
    }

    private func guess(_ length: Int, _ source: inout HashedSource) throws -> Unit? {
        guard let contentLength = source.peek({ ForeignGzipScan.contentLength(ofMember: $0, length: length) }) else {
            return nil
        }
        return source.cut(length).map { Unit(parts: $0, contentLength: contentLength) }
    }
}
