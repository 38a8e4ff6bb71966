import Testing

@testable import Concurrency

/// One thread for a test's tasks: what happens between two `await`s of one task is not interrupted by another.
@globalActor
private actor Turnstile {
    static let shared = Turnstile()
}

@Suite("Slots", .timeLimit(.minutes(5)))
struct SlotsTests {
    @Test("gives as many as there are, and takes them back")
    func counts() {
        let slots = Slots(count: 2)
        #expect(slots.tryAcquire())
        #expect(slots.tryAcquire())
        #expect(!slots.tryAcquire())
        slots.release()
        #expect(slots.tryAcquire())
        #expect(!slots.tryAcquire())
    }

    @Test("does not wait for a free slot")
    func free() async throws {
        let slots = Slots(count: 1)
        try await slots.acquire()
        #expect(!slots.tryAcquire())
    }

    @Test("serves who waits in order of arrival")
    @Turnstile
    func order() async throws {
        let (slots, arrivals, served) = (Slots(count: 1), Events<Int>(), Events<Int>())
        #expect(slots.tryAcquire())
        let tasks = (0..<10).map { number in
            Task { @Turnstile in
                // Noting and beginning to wait are one step on this actor.
                arrivals.note(number)
                try await slots.acquire()
                served.note(number)
                slots.release()
            }
        }
        while arrivals.all.count < 10 { await Task.yield() }
        slots.release()
        for task in tasks { try await task.value }
        #expect(served.all.count == 10)
        #expect(served.all == arrivals.all)
    }

    @Test("cancellation while waiting throws, and neither loses nor invents a slot")
    @Turnstile
    func cancelledWhileWaiting() async throws {
        let (slots, events) = (Slots(count: 1), Events<String>())
        #expect(slots.tryAcquire())
        let task = Task { @Turnstile in
            events.note("waits")
            try await slots.acquire()
        }
        while events.all.isEmpty { await Task.yield() }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(!slots.tryAcquire())
        slots.release()
        #expect(slots.tryAcquire())
        #expect(!slots.tryAcquire())
    }

    @Test("a cancelled task takes no slot, even if one is free")
    func cancelledBefore() async throws {
        let slots = Slots(count: 1)
        let task = Task {
            await waitForCancellation()
            try await slots.acquire()
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(slots.tryAcquire())
    }

    @Test("a cancelled waiter is passed over, those behind it are served")
    @Turnstile
    func cancelledInTheMiddle() async throws {
        let (slots, arrivals, served) = (Slots(count: 1), Events<Int>(), Events<Int>())
        #expect(slots.tryAcquire())
        var tasks: [Task<Void, any Error>] = []
        for number in 0..<3 {
            tasks.append(
                Task { @Turnstile in
                    arrivals.note(number)
                    try await slots.acquire()
                    served.note(number)
                }
            )
            while arrivals.all.count <= number { await Task.yield() }
        }
        tasks[1].cancel()
        await #expect(throws: CancellationError.self) { try await tasks[1].value }
        slots.release()
        slots.release()
        try await tasks[0].value
        try await tasks[2].value
        #expect(served.all == [0, 2])
        #expect(!slots.tryAcquire())
    }

    @Test("who asks for more than there are gets all of them")
    func oversized() async throws {
        let slots = Slots(count: 4)
        try await slots.acquire(100)
        #expect(!slots.tryAcquire())
        slots.release(100)
        #expect(slots.tryAcquire(4))
    }

    @Test("a large request at the head is not overtaken, and one that goes away lets those behind it in")
    @Turnstile
    func weights() async throws {
        let (slots, arrivals, served) = (Slots(count: 3), Events<Int>(), Events<Int>())
        #expect(slots.tryAcquire(2))
        var tasks: [Task<Void, any Error>] = []
        for (number, wanted) in [(0, 3), (1, 1)] {
            tasks.append(
                Task { @Turnstile in
                    arrivals.note(number)
                    try await slots.acquire(wanted)
                    served.note(number)
                }
            )
            while arrivals.all.count <= number { await Task.yield() }
        }
        #expect(!slots.tryAcquire(), "one is free, but somebody waits in front")
        tasks[0].cancel()
        await #expect(throws: CancellationError.self) { try await tasks[0].value }
        try await tasks[1].value
        #expect(served.all == [1])
        slots.release(2)
        #expect(slots.tryAcquire(2))
        #expect(!slots.tryAcquire())
    }
}
