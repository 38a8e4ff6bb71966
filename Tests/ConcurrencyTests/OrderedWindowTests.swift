import Testing

@testable import Concurrency

@Suite("withOrderedWindow", .timeLimit(.minutes(5)))
struct OrderedWindowTests {
    /// How many slots are free; takes them all.
    private func freeSlots(_ slots: Slots) -> Int {
        var count = 0
        while slots.tryAcquire() { count += 1 }
        return count
    }

    @Test("calls nothing for a count of zero")
    func empty() async throws {
        let slots = Slots(count: 1)
        try await withOrderedWindow(count: 0, window: AdaptiveWindow(4), slots: slots) {
            $0
        } consume: { _ in
            Issue.record("nothing")
        }
        #expect(freeSlots(slots) == 1)
    }

    @Test("consumes in order although every group of four ends in reverse")
    func reversedCompletion() async throws {
        let (slots, ended) = (Slots(count: 4), Events<Int>())
        let gates = (0..<20).map { _ in Gate() }
        var consumed: [Int] = []
        try await withOrderedWindow(count: 20, window: AdaptiveWindow(4), slots: slots) { index in
            if index % 4 != 3 { await gates[index + 1].wait() }
            ended.note(index)
            gates[index].open()
            return index
        } consume: {
            consumed.append($0)
        }
        #expect(ended.all.prefix(4) == [3, 2, 1, 0])
        #expect(consumed == Array(0..<20))
        #expect(freeSlots(slots) == 4)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var window: Int
        var slots: Int
        var testDescription: String { "window \(window), \(slots) slots" }
    }

    @Test(
        "keeps within window and slots, in order, under random completion",
        arguments: [
            Case(window: 1, slots: 1), Case(window: 3, slots: 8), Case(window: 8, slots: 3),
            Case(window: 5, slots: 5),
        ]
    )
    func bounded(_ test: Case) async throws {
        let (slots, held) = (Slots(count: test.slots), Occupancy())
        var consumed: [Int] = []
        try await withOrderedWindow(count: 200, window: AdaptiveWindow(test.window), slots: slots) { index in
            held.enter()
            for _ in 0..<(index &* 7919 % 31) { await Task.yield() }
            return index
        } consume: { index in
            await Task.yield()
            consumed.append(index)
            held.leave()
        }
        #expect(consumed == Array(0..<200))
        #expect(held.peak <= min(test.window, test.slots))
        #expect(freeSlots(slots) == test.slots)
    }

    @Test("computes as many at once as the window allows")
    func windowUsed() async throws {
        let (inside, full) = (Occupancy(), Gate())
        try await withOrderedWindow(count: 3, window: AdaptiveWindow(3), slots: Slots(count: 3)) { _ in
            if inside.enter() == 3 { full.open() }
            await full.wait()
        } consume: {
        }
        #expect(inside.peak == 3)
    }

    @Test("an error of produce cancels the rest, is thrown and frees all slots", arguments: [0, 2])
    func produceFails(failing: Int) async throws {
        let (slots, running, events) = (Slots(count: 3), Occupancy(), Events<Int>())
        let all = Gate()
        await #expect(throws: Failure("produce")) {
            try await withOrderedWindow(count: 50, window: AdaptiveWindow(3), slots: slots) { index in
                if running.enter() == 3 { all.open() }
                await all.wait()
                if index == failing { throw Failure("produce") }
                await waitForCancellation()
                events.note(index)
                return index
            } consume: { _ in
                Issue.record("nothing may be consumed")
            }
        }
        #expect(events.all.sorted() == [0, 1, 2].filter { $0 != failing })
        #expect(freeSlots(slots) == 3)
    }

    @Test("an error of consume cancels the rest, is thrown and frees all slots")
    func consumeFails() async throws {
        let slots = Slots(count: 4)
        var consumed: [Int] = []
        await #expect(throws: Failure("consume")) {
            try await withOrderedWindow(count: 50, window: AdaptiveWindow(4), slots: slots) { index in
                if index > 2 { await waitForCancellation() }
                return index
            } consume: { index in
                if index == 2 { throw Failure("consume") }
                consumed.append(index)
            }
        }
        #expect(consumed == [0, 1])
        #expect(freeSlots(slots) == 4)
    }

    @Test("a task that waits for its first slot can be cancelled")
    func cancelledWhileWaiting() async throws {
        let (slots, started) = (Slots(count: 1), Gate())
        #expect(slots.tryAcquire())
        let task = Task {
            started.open()
            try await withOrderedWindow(count: 5, window: AdaptiveWindow(2), slots: slots) {
                $0
            } consume: { _ in
                Issue.record("there was no slot")
            }
        }
        await started.wait()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(freeSlots(slots) == 0)
        slots.release()
        #expect(freeSlots(slots) == 1)
    }

    @Test("calls that share few slots all come to their end, each in order", arguments: [1, 2, 3])
    func shared(slotCount: Int) async throws {
        let (slots, held) = (Slots(count: slotCount), Occupancy())
        try await withThrowingTaskGroup(of: [Int].self) { group in
            for _ in 0..<3 {
                group.addTask {
                    var consumed: [Int] = []
                    try await withOrderedWindow(count: 60, window: AdaptiveWindow(4), slots: slots) { index in
                        held.enter()
                        for _ in 0..<(index % 5) { await Task.yield() }
                        return index
                    } consume: { index in
                        await Task.yield()
                        consumed.append(index)
                        held.leave()
                    }
                    return consumed
                }
            }
            for try await consumed in group { #expect(consumed == Array(0..<60)) }
        }
        #expect(held.peak <= slotCount)
        #expect(freeSlots(slots) == slotCount)
    }

    @Test("inputs may come late and end early; what is in flight is finished")
    func pulled() async throws {
        let slots = Slots(count: 100)
        var (given, consumed): ([Int], [Int]) = ([], [])
        try await withOrderedWindow(window: AdaptiveWindow(3), slots: slots) {
            await Task.yield()
            guard given.count < 10 else { return nil }
            given.append(given.count)
            return (input: given.count - 1, weight: 30)
        } produce: { input in
            input * 2
        } consume: {
            consumed.append($0)
        }
        #expect(consumed == (0..<10).map { $0 * 2 })
        #expect(freeSlots(slots) == 100)
    }

    @Test("an error of the source of inputs cancels the rest and frees all slots")
    func sourceFails() async throws {
        let slots = Slots(count: 10)
        var given = 0
        await #expect(throws: Failure("source")) {
            try await withOrderedWindow(window: AdaptiveWindow(4), slots: slots) {
                given += 1
                if given == 4 { throw Failure("source") }
                return (input: given, weight: 2)
            } produce: { _ in
                await waitForCancellation()
            } consume: { _ in
            }
        }
        #expect(freeSlots(slots) == 10)
    }

    @Test("a weight above all slots runs alone instead of never")
    func oversized() async throws {
        let (slots, inside) = (Slots(count: 4), Occupancy())
        try await withOrderedWindow(count: 5, window: AdaptiveWindow(3), weight: 9, slots: slots) { index in
            inside.enter()
            return index
        } consume: { _ in
            inside.leave()
        }
        #expect(inside.peak == 1)
        #expect(freeSlots(slots) == 4)
    }
}

@Suite("AdaptiveWindow")
struct AdaptiveWindowTests {
    @Test("doubles at every stall up to its most, and narrows again in calm")
    func adapts() {
        var window = AdaptiveWindow(4...20)
        #expect(window.width == 4)
        for expected in [8, 16, 20, 20] {
            window.consumed(in: AdaptiveWindow.stall)
            #expect(window.width == expected)
        }
        for _ in 0..<80 { window.consumed(in: .milliseconds(1)) }
        #expect(window.width == 19)
        for _ in 0..<2000 { window.consumed(in: .milliseconds(1)) }
        #expect(window.width == 4)
    }

    @Test("of fixed width stays so")
    func fixed() {
        var window = AdaptiveWindow(3)
        window.consumed(in: .seconds(1))
        #expect(window.width == 3)
    }
}
