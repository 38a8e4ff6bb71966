import NIOCore
import Testing

@testable import Engines

/// How many units one thread takes at a time.
@Suite("batches of units")
struct UnitBatchTests {
    /// Units that a batch takes before it has enough; at most a thousand.
    private func taken(stored: Int, content: Int) -> Int {
        var batch = PlacedWriter.Batch()
        while !batch.isEnough, batch.units.count < 1000 {
            let unit = PlacedWriter.Unit(parts: [ByteBuffer(repeating: 0, count: stored)], contentLength: content)
            batch.add(unit, at: 0)
        }
        return batch.units.count
    }

    @Test("members of 250 kB are gathered up to a mebibyte, a frame of one stands alone")
    func usual() {
        #expect(taken(stored: 125_000, content: 250_000) == 5)
        #expect(taken(stored: 450_000, content: 1 << 20) == 1)
    }

    @Test("units without content, and large ones with hardly any, do not gather without end")
    func bounded() {
        #expect(taken(stored: 0, content: 0) == 16)
        #expect(taken(stored: 1 << 20, content: 1) == 2)
    }
}
