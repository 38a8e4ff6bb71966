import Synchronization

/// A counted resource that tasks wait for in order of arrival: bounds how much is in memory at once.
///
/// A slot is whatever the caller counts in: a piece, or a byte. Who asks for more than there are gets all of them.
package final class Slots: Sendable {
    private struct Waiter {
        var id: Int
        var count: Int
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var free: Int
        var nextID = 0
        var waiting: [Waiter] = []
    }

    /// Number of slots, free or not.
    package let count: Int
    private let state: Mutex<State>

    /// Creates `count` free slots.
    package init(count: Int) {
        precondition(count > 0, "without a slot nothing can run")
        self.count = count
        state = Mutex(State(free: count))
    }

    /// Takes `wanted` slots if they are free and nobody waits.
    package func tryAcquire(_ wanted: Int = 1) -> Bool {
        let wanted = min(wanted, count)
        return state.withLock { state in
            guard state.free >= wanted, state.waiting.isEmpty else { return false }
            state.free -= wanted
            return true
        }
    }

    /// Waits for `wanted` slots.
    /// - Throws: `CancellationError`; no slot is held then.
    package func acquire(_ wanted: Int = 1) async throws {
        let wanted = min(wanted, count)
        let id = state.withLock { state in
            defer { state.nextID += 1 }
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome: Result<Void, any Error>? = state.withLock { state in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.free >= wanted, state.waiting.isEmpty {
                        state.free -= wanted
                        return .success(())
                    }
                    state.waiting.append(Waiter(id: id, count: wanted, continuation: continuation))
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            let (waiter, served) = state.withLock { state in
                let waiter = state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0).continuation }
                // Whoever stood behind a large request may have been waiting for nothing else.
                return (waiter, serve(&state))
            }
            waiter?.resume(throwing: CancellationError())
            for continuation in served { continuation.resume() }
        }
    }

    /// Gives slots back.
    package func release(_ returned: Int = 1) {
        let served = state.withLock { state in
            state.free += min(returned, count)
            return serve(&state)
        }
        for continuation in served { continuation.resume() }
    }

    /// Takes those from the head of the queue for whom there is enough.
    private func serve(_ state: inout State) -> [CheckedContinuation<Void, any Error>] {
        var served: [CheckedContinuation<Void, any Error>] = []
        while let first = state.waiting.first, first.count <= state.free {
            state.free -= first.count
            served.append(state.waiting.removeFirst().continuation)
        }
        return served
    }
}
