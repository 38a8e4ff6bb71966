import NIOCore
import Storage
import Streams

/// An object's bytes in order, with the running hash of all that were taken from the store.
///
/// Units are cut off the front. One that lies within a piece of the store's is a slice of it; only one that straddles two
/// pieces is copied.
struct HashedSource: Sendable {
    private let source: any ObjectSource
    private(set) var crc = CRC32()
    /// What comes next, in one piece as far as ``fill(to:expecting:)`` has made it.
    private(set) var front = ByteBuffer()
    /// What follows `front`.
    private var rest = ByteBuffer()
    /// `front` is a buffer of ours that can be appended to.
    private var isOwn = false

    init(_ source: any ObjectSource) {
        self.source = source
    }

    /// Takes everything that is at hand, or the next piece; `nil` at the end of the object.
    mutating func next() async throws -> ByteBuffer? {
        if let piece = take(&front) ?? take(&rest) { return piece }
        return try await fetch()
    }

    /// Makes the next `count` bytes one piece: ``front`` has at least so many then, or the object ends before.
    /// - Parameters:
    ///   - count: how many are wanted now.
    ///   - expecting: how many it may become in further calls, so that the bytes are copied once only.
    /// - Throws: what the source throws.
    mutating func fill(to count: Int, expecting: Int = 0) async throws {
        while front.readableBytes < count {
            if rest.readableBytes == 0 {
                guard let piece = try await fetch() else { return }
                rest = piece
            }
            if front.readableBytes == 0 {
                (front, rest, isOwn) = (rest, ByteBuffer(), false)
                continue
            }
            if !isOwn {
                var own = ByteBufferAllocator().buffer(capacity: max(count, expecting))
                own.writeImmutableBuffer(front)
                (front, isOwn) = (own, true)
            }
            if let part = rest.readSlice(length: min(count - front.readableBytes, rest.readableBytes)) {
                front.writeImmutableBuffer(part)
            }
        }
    }

    /// Whether nothing is left of the object.
    mutating func isAtEnd() async throws -> Bool {
        try await fill(to: 1)
        return front.readableBytes == 0
    }

    /// Cuts `length` bytes off the front; `nil` when it has fewer.
    mutating func cut(_ length: Int) -> ByteBuffer? {
        // The buffer has two owners then: the next append would copy all of it.
        isOwn = false
        return front.readSlice(length: length)
    }

    /// Runs `body` with the front's bytes.
    func peek<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try front.withUnsafeReadableBytes(body)
    }

    /// Lets `body` cut off the front what it wants.
    mutating func cut<Result>(_ body: (inout ByteBuffer) throws -> Result) rethrows -> Result {
        isOwn = false
        return try body(&front)
    }

    private func take(_ buffer: inout ByteBuffer) -> ByteBuffer? {
        guard buffer.readableBytes > 0 else { return nil }
        defer { buffer = ByteBuffer() }
        return buffer
    }

    private mutating func fetch() async throws -> ByteBuffer? {
        try Task.checkCancellation()
        let piece = try await source.next()
        if let piece { crc.update(piece) }
        return piece
    }
}
