import Testing

@testable import Concurrency

@Suite("forEach(in:atMost:)", .timeLimit(.minutes(5)))
struct ForEachTests {
    @Test("runs the body once per item", arguments: [1, 2, 7, 100])
    func onceEach(limit: Int) async throws {
        let seen = Events<Int>()
        try await forEach(in: 0..<20, atMost: limit) { seen.note($0) }
        #expect(seen.all.sorted() == Array(0..<20))
    }

    @Test("does nothing for no items")
    func empty() async throws {
        try await forEach(in: [Int](), atMost: 3) { _ in Issue.record("there is nothing to run") }
    }

    @Test("never runs more than the limit at once", arguments: [1, 2, 5])
    func limitRespected(limit: Int) async throws {
        let inside = Occupancy()
        try await forEach(in: 0..<40, atMost: limit) { _ in
            inside.enter()
            for _ in 0..<20 { await Task.yield() }
            inside.leave()
        }
        #expect(inside.peak <= limit)
    }

    @Test("runs as many as the limit allows at once")
    func limitUsed() async throws {
        let inside = Occupancy()
        let full = Gate()
        // Nobody goes on before three are inside: fewer at once would wait for ever.
        try await forEach(in: 0..<3, atMost: 3) { _ in
            if inside.enter() == 3 { full.open() }
            await full.wait()
        }
        #expect(inside.peak == 3)
    }

    /// `items` equal to the limit: all have been started when the error comes; more: some wait for their turn.
    @Test("the first error cancels the rest and is thrown", arguments: [2, 10])
    func firstErrorCancels(items: Int) async throws {
        let otherRuns = Gate()
        let events = Events<String>()
        await #expect(throws: Failure("item 0")) {
            try await forEach(in: 0..<items, atMost: 2) { item in
                switch item {
                case 0:
                    await otherRuns.wait()
                    throw Failure("item 0")
                case 1:
                    otherRuns.open()
                    await waitForCancellation()
                    events.note("1 was cancelled")
                    throw Failure("item 1")
                default: events.note("\(item) ran")
                }
            }
        }
        #expect(events.all == ["1 was cancelled"])
    }

    @Test("cancelling the task cancels the bodies")
    func cancelled() async throws {
        let running = Gate()
        let task = Task {
            try await forEach(in: 0..<5, atMost: 1) { _ in
                running.open()
                await waitForCancellation()
                try Task.checkCancellation()
            }
        }
        await running.wait()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
