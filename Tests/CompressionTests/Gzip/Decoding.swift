import NIOCore

@testable import Compression

/// Contents with every kind of byte that are neither constant nor random.
func sampleContent(_ count: Int) -> [UInt8] {
    var state: UInt32 = 0x2545_f491
    return (0..<count).map { index in
        state = state &* 1_664_525 &+ 1_013_904_223
        return index % 5 == 0 ? UInt8(truncatingIfNeeded: state >> 24) : UInt8(truncatingIfNeeded: index / 37)
    }
}

func encode(_ content: [UInt8], level: Codec.GzipLevel) throws -> [UInt8] {
    let encoder = GzipEncoder(level: level)
    let member = try content.withUnsafeBytes { bytes in try encoder.encode(bytes) }
    return Array(member.readableBytesView)
}

/// Decodes one whole member of ours.
func decode(member: [UInt8], contentLength: Int) throws -> [UInt8] {
    let decoder = GzipDecoder()
    var content = [UInt8](repeating: 0xaa, count: contentLength)
    try member.withUnsafeBytes { source in
        try content.withUnsafeMutableBytes { target in try decoder.decode(source, into: target) }
    }
    return content
}

/// Decodes a stream that arrives in pieces of `piece` bytes, with room for `scratch` bytes of output at a time.
func decode(stream: [UInt8], piece: Int, scratch: Int, with decoder: GzipDecoder = GzipDecoder()) throws -> [UInt8] {
    let room = RawBuffer(count: scratch)
    var content: [UInt8] = []
    decoder.beginStream()
    for start in Swift.stride(from: 0, to: stream.count, by: piece) {
        try stream[start..<min(start + piece, stream.count)].withUnsafeBytes { bytes in
            try decoder.decode(
                next: bytes,
                scratch: UnsafeMutableRawBufferPointer(rebasing: room.bytes[..<scratch])
            ) { content.append(contentsOf: $0) }
        }
    }
    try decoder.endStream()
    return content
}
