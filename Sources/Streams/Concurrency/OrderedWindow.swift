/// Computes `produce(0)`, `produce(1)`, … concurrently and hands the results to `consume` in order.
///
/// At most `window` results of this call are computed or waiting, and every one of them holds one of `slots`, which
/// several calls share: together they bound memory. A call that holds no slot waits for one; a call that holds some
/// never waits for another, so calls cannot block each other for ever.
/// - Parameters:
///   - count: number of results.
///   - window: results of this call in flight at most.
///   - slots: the bound that several calls share.
///   - produce: computes one result; called concurrently.
///   - consume: called one at a time; its result is awaited before the next, which is the back-pressure.
/// - Throws: the first error of either closure; the rest is cancelled and all slots are free again.
package func withOrderedWindow<Output: Sendable>(
    count: Int,
    window: Int,
    slots: Slots,
    produce: @escaping @Sendable (Int) async throws -> Output,
    consume: (Output) async throws -> Void
) async throws {
    precondition(window > 0, "a window below one would never start")
    var (next, head, held) = (0, 0, 0)
    var finished: [Int: Output] = [:]
    defer { for _ in 0..<held { slots.release() } }
    try await withThrowingTaskGroup(of: (Int, Output).self) { group in
        while head < count {
            while next < count, next - head < window {
                if held == 0 { try await slots.acquire() } else if !slots.tryAcquire() { break }
                held += 1
                let index = next
                group.addTask { (index, try await produce(index)) }
                next += 1
            }
            if let output = finished.removeValue(forKey: head) {
                try await consume(output)
                slots.release()
                held -= 1
                head += 1
            } else if let (index, output) = try await group.next() {
                finished[index] = output
            }
        }
    }
}
