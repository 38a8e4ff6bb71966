import Synchronization

/// A door that opens once; whoever waits in front of it goes on then.
///
/// Lets a test decide the order of events.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func open() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            state.isOpen = true
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }
}

/// Returns when the current task is cancelled.
func waitForCancellation() async {
    let gate = Gate()
    await withTaskCancellationHandler {
        await gate.wait()
    } onCancel: {
        gate.open()
    }
}

/// How many are inside at once, and the most that ever were.
final class Occupancy: Sendable {
    private let counts = Mutex((now: 0, peak: 0))

    var peak: Int { counts.withLock { $0.peak } }

    /// - Returns: how many are inside now.
    @discardableResult
    func enter() -> Int {
        counts.withLock { counts in
            counts.now += 1
            counts.peak = max(counts.peak, counts.now)
            return counts.now
        }
    }

    func leave() {
        counts.withLock { $0.now -= 1 }
    }
}

/// What happened, in order.
final class Events<Event: Sendable>: Sendable {
    private let list = Mutex<[Event]>([])

    var all: [Event] { list.withLock { $0 } }

    func note(_ event: Event) {
        list.withLock { $0.append(event) }
    }
}

/// An error that is recognised again.
struct Failure: Error, Equatable {
    var name: String

    init(_ name: String) {
        self.name = name
    }
}
