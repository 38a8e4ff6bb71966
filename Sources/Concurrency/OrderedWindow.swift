/// How many inputs of one call may be in flight: few while the consumer keeps up, which keeps memory small and caches warm,
/// more after it has stalled, so that the producers go on while it does.
package struct AdaptiveWindow: Hashable, Sendable {
    /// A consumer that takes longer for one output has stalled.
    static let stall = Duration.milliseconds(50)

    private let range: ClosedRange<Int>
    /// The present width.
    private(set) var width: Int
    private var calm = 0

    /// A window that begins with the least of `range` and grows up to its most.
    package init(_ range: ClosedRange<Int>) {
        precondition(range.lowerBound > 0, "a window below one would never start")
        (self.range, width) = (range, range.lowerBound)
    }

    /// A window of fixed width.
    package init(_ width: Int) {
        self.init(width...width)
    }

    /// Notes how long the consumer took for one output.
    mutating func consumed(in time: Duration) {
        if time >= Self.stall {
            (width, calm) = (min(range.upperBound, width * 2), 0)
            return
        }
        calm += 1
        if calm >= 4 * width, width > range.lowerBound { (width, calm) = (width - 1, 0) }
    }
}

/// Turns inputs into outputs concurrently and hands these to `consume` in the order of the inputs.
///
/// At most as many as `window` says are computed or waiting. Every one of them holds its weight in `slots`, which several
/// calls share: together they bound memory. A call that holds nothing waits for its slots; a call that holds some never
/// waits for more, so calls cannot block each other for ever.
/// - Parameters:
///   - window: inputs of this call in flight at most.
///   - slots: the bound that several calls share.
///   - executor: where `produce` runs.
///   - next: the next input and its weight; `nil` at the end. Called one at a time, as is `consume`.
///   - produce: computes one output; called concurrently.
///   - consume: its result is awaited before the next, which is the back-pressure.
/// - Throws: the first error of any closure; the rest is cancelled and all slots are free again.
package func withOrderedWindow<Input: Sendable, Output: Sendable>(
    window: AdaptiveWindow,
    slots: Slots,
    executor: (any TaskExecutor)? = nil,
    next: () async throws -> (input: Input, weight: Int)?,
    produce: @escaping @Sendable (Input) async throws -> Output,
    consume: (Output) async throws -> Void
) async throws {
    var window = window
    var (taken, head) = (0, 0)
    var weights: [Int: Int] = [:]
    var finished: [Int: Output] = [:]
    var pending = try await next()
    defer { for weight in weights.values { slots.release(weight) } }
    try await withThrowingTaskGroup(of: (Int, Output).self) { group in
        while pending != nil || head < taken {
            while let (input, weight) = pending, taken - head < window.width {
                if taken == head { try await slots.acquire(weight) } else if !slots.tryAcquire(weight) { break }
                let index = taken
                weights[index] = weight
                group.addTask(executorPreference: executor) { (index, try await produce(input)) }
                taken += 1
                pending = try await next()
            }
            if let output = finished.removeValue(forKey: head) {
                let start = ContinuousClock.now
                try await consume(output)
                window.consumed(in: ContinuousClock.now - start)
                if let weight = weights.removeValue(forKey: head) { slots.release(weight) }
                head += 1
            } else if let (index, output) = try await group.next() {
                finished[index] = output
            }
        }
    }
}

/// Computes `produce(0)`, `produce(1)`, … up to `count` concurrently, each of the same weight, and consumes in order.
/// - Parameters:
///   - count: number of outputs.
///   - window: outputs of this call in flight at most.
///   - weight: slots that each of them holds.
///   - slots: the bound that several calls share.
///   - executor: where `produce` runs.
///   - produce: computes one output; called concurrently.
///   - consume: called one at a time; its result is awaited before the next, which is the back-pressure.
/// - Throws: the first error of either closure; the rest is cancelled and all slots are free again.
package func withOrderedWindow<Output: Sendable>(
    count: Int,
    window: AdaptiveWindow,
    weight: Int = 1,
    slots: Slots,
    executor: (any TaskExecutor)? = nil,
    produce: @escaping @Sendable (Int) async throws -> Output,
    consume: (Output) async throws -> Void
) async throws {
    var index = 0
    try await withOrderedWindow(window: window, slots: slots, executor: executor) {
        guard index < count else { return nil }
        defer { index += 1 }
        return (index, weight)
    } produce: {
        try await produce($0)
    } consume: {
        try await consume($0)
    }
}
