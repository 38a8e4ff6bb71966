import NIOCore
import Storage

/// An object's bytes in order, with the running hash of all that were taken from the store.
///
/// Units are cut off the front as slices of the store's pieces; nothing is copied but what must be looked at in one piece.
struct HashedSource: Sendable {
    private let source: any ObjectSource
    private(set) var crc = CRC32()
    /// What comes next, in one piece as far as ``fill(to:expecting:)`` has made it.
    private(set) var front = ByteBuffer()
    /// What follows `front`; no piece is empty.
    private var rest = CircularBuffer<ByteBuffer>()
    /// Bytes at hand.
    private(set) var count = 0
    /// `front` is a buffer of ours that can be appended to.
    private var isOwn = false

    init(_ source: any ObjectSource) {
        self.source = source
    }

    /// Takes everything of the first piece at hand, or the next of the store's; `nil` at the end of the object.
    mutating func next() async throws -> ByteBuffer? {
        if count == 0 { return try await fetch() }
        let piece = front.readableBytes > 0 ? front : rest.removeFirst()
        (front, isOwn) = (ByteBuffer(), false)
        count -= piece.readableBytes
        return piece
    }

    /// Sees to it that at least `count` bytes are at hand, unless the object ends before.
    /// - Throws: what the source throws.
    mutating func gather(_ count: Int) async throws {
        while self.count < count, let piece = try await fetch() {
            self.count += piece.readableBytes
            if piece.readableBytes > 0 { rest.append(piece) }
        }
    }

    /// Makes the next `count` bytes one piece: ``front`` has at least so many then, or the object ends before.
    /// - Parameters:
    ///   - count: how many are wanted now.
    ///   - expecting: how many it may become in further calls, so that the bytes are copied once only.
    /// - Throws: what the source throws.
    mutating func fill(to count: Int, expecting: Int = 0) async throws {
        try await gather(count)
        while front.readableBytes < count, !rest.isEmpty {
            if front.readableBytes == 0 {
                (front, isOwn) = (rest.removeFirst(), false)
                continue
            }
            if !isOwn {
                var own = ByteBufferAllocator().buffer(capacity: max(count, expecting))
                own.writeImmutableBuffer(front)
                (front, isOwn) = (own, true)
            }
            if let part = rest.cut(count - front.readableBytes) { front.writeImmutableBuffer(part) }
        }
    }

    /// Whether nothing is left of the object.
    mutating func isAtEnd() async throws -> Bool {
        try await fill(to: 1)
        return front.readableBytes == 0
    }

    /// Cuts `length` bytes off the front, as the pieces in which they are at hand; `nil` when there are fewer.
    mutating func cut(_ length: Int) -> [ByteBuffer]? {
        guard length <= count else { return nil }
        count -= length
        // The buffer has two owners then: the next append would copy all of it.
        isOwn = false
        var parts: [ByteBuffer] = []
        var missing = length
        if let part = front.readSlice(length: min(missing, front.readableBytes)), part.readableBytes > 0 {
            parts.append(part)
            missing -= part.readableBytes
        }
        while missing > 0, let part = rest.cut(missing) {
            parts.append(part)
            missing -= part.readableBytes
        }
        return parts
    }

    /// Runs `body` with the front's bytes.
    func peek<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try front.withUnsafeReadableBytes(body)
    }

    /// The `count` bytes that begin `offset` bytes ahead, as far as they are at hand.
    func bytes(at offset: Int, count: Int) -> [UInt8] {
        (offset..<offset + count).compactMap { byte(at: $0) }
    }

    private func byte(at offset: Int) -> UInt8? {
        var offset = offset
        if offset < front.readableBytes { return front.getInteger(at: front.readerIndex + offset) }
        offset -= front.readableBytes
        for piece in rest {
            if offset < piece.readableBytes { return piece.getInteger(at: piece.readerIndex + offset) }
            offset -= piece.readableBytes
        }
        return nil
    }

    /// Lets `body` cut off the front what it wants.
    mutating func cut<Result>(_ body: (inout ByteBuffer) throws -> Result) rethrows -> Result {
        isOwn = false
        let before = front.readableBytes
        defer { count -= before - front.readableBytes }
        return try body(&front)
    }

    private mutating func fetch() async throws -> ByteBuffer? {
        try Task.checkCancellation()
        let piece = try await source.next()
        if let piece { crc.update(piece) }
        return piece
    }
}

extension CircularBuffer<ByteBuffer> {
    /// Cuts at most `length` bytes off the first piece; `nil` when there is none.
    fileprivate mutating func cut(_ length: Int) -> ByteBuffer? {
        guard let piece = first else { return nil }
        if piece.readableBytes <= length { return removeFirst() }
        return self[startIndex].readSlice(length: length)
    }
}
