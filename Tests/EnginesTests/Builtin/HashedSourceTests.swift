import NIOCore
import Storage
import Synchronization
import TestKit
import Testing

@testable import Engines

/// An object's bytes, whatever the pieces in which the store gives them.
@Suite("bytes of an object in order", .timeLimit(.minutes(5)))
struct HashedSourceTests {
    private final class Pieces: ObjectSource {
        private let pieces: Mutex<[ByteBuffer]>

        init(_ content: [UInt8], _ generator: inout SeededGenerator) {
            var (pieces, rest) = ([ByteBuffer](), content[...])
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 0...40, using: &generator))
                pieces.append(ByteBuffer(bytes: piece))
                rest = rest.dropFirst(piece.count)
            }
            self.pieces = Mutex(pieces.reversed())
        }

        func next() async throws -> ByteBuffer? { pieces.withLock { $0.popLast() } }
    }

    @Test("whatever is looked at, gathered, joined and cut, every byte comes once and in order", arguments: 0..<100)
    func order(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let content = (0..<Int.random(in: 0...1000, using: &generator)).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        var source = HashedSource(Pieces(content, &generator))
        var seen: [UInt8] = []
        while try await !source.isAtEnd() {
            let ahead = content[seen.count...]
            let wanted = Int.random(in: 1...60, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0:
                try await source.gather(wanted)
                #expect(source.count >= min(wanted, ahead.count))
            case 1:
                try await source.fill(to: wanted, expecting: 2 * wanted)
                source.peek {
                    #expect($0.elementsEqual(ahead.prefix($0.count)) && $0.count >= min(wanted, ahead.count))
                }
            case 2:
                let offset = Int.random(in: 0...60, using: &generator)
                let bytes = source.bytes(at: offset, count: 3)
                #expect(bytes == Array(ahead.prefix(source.count).dropFirst(offset).prefix(3)))
            case 3:
                let isEnough = source.count >= wanted
                let parts: [ByteBuffer]? = source.cut(wanted)
                #expect((parts != nil) == isEnough)
                #expect(parts?.contains { $0.readableBytes == 0 } != true)
                seen += (parts ?? []).flatMap { $0.readableBytesView }
            case 4: seen += source.cut { $0.readBytes(length: min(wanted, $0.readableBytes)) ?? [] }
            default: seen += try await source.next().map { Array($0.readableBytesView) } ?? []
            }
        }
        #expect(seen == content)
        #expect(source.count == 0)
        var crc = CRC32()
        content.withUnsafeBytes { crc.update($0) }
        #expect(source.crc == crc)
    }

    @Test("bytes of several parts are decoded as one", arguments: [[5], [3, 4], [1, 1 << 20, 7]])
    func joined(lengths: [Int]) {
        let workspace = DecodingWorkspace()
        let parts = lengths.enumerated().map { ByteBuffer(repeating: UInt8($0.offset), count: $0.element) }
        for _ in 0..<2 {
            workspace.joined(parts) { #expect($0.elementsEqual(parts.flatMap { $0.readableBytesView })) }
        }
    }
}
