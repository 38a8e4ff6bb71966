import NIOCore

@testable import Compression

/// Decodes a stream that arrives in pieces of `piece` bytes, with room for `scratch` bytes of output at a time.
func decode(_ stream: [UInt8], with decoder: any StreamDecoder, piece: Int, scratch: Int) throws -> [UInt8] {
    let room = RawBuffer(count: scratch)
    var content: [UInt8] = []
    for start in Swift.stride(from: 0, to: stream.count, by: piece) {
        try stream[start..<min(start + piece, stream.count)].withUnsafeBytes { bytes in
            try decoder.decode(next: bytes, scratch: UnsafeMutableRawBufferPointer(rebasing: room.bytes[..<scratch])) {
                content.append(contentsOf: $0)
            }
        }
    }
    try decoder.endStream()
    return content
}

/// The chunks of `content`, encoded one after another.
func encode(_ content: [UInt8], with encoder: any ChunkEncoder, chunk: Int) throws -> [UInt8] {
    try Swift.stride(from: 0, to: content.count, by: chunk).flatMap { start in
        try content[start..<min(start + chunk, content.count)].withUnsafeBytes { bytes in
            Array(try encoder.encode(bytes).readableBytesView)
        }
    }
}

/// Bytes that nothing compresses.
func noise(_ count: Int) -> [UInt8] {
    var state: UInt64 = 1
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 56)
    }
}
