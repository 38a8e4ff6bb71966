import Synchronization
import Testing

@testable import Concurrency

@Suite("a body beside helpers", .timeLimit(.minutes(5)))
struct HelpersTests {
    @Test("ends them when it ends, with its result")
    func result() async throws {
        let result = try await withHelpers([{ await waitForCancellation() }, {}]) { 7 }
        #expect(result == 7)
    }

    @Test("is cancelled by one that fails, whose error counts")
    func failure() async {
        await #expect(throws: Failure("helper")) {
            try await withHelpers([{ throw Failure("helper") }]) {
                await waitForCancellation()
                throw Failure("body")
            }
        }
    }

    @Test("cleans up after its cancellation while a lasting helper still works")
    func lasting() async throws {
        // Nothing is kept for later: whoever gets a beat gets it from a helper that works.
        let (beats, beat) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(0))
        let isHelping = Mutex(true)
        let task = Task {
            try await withLastingHelper {
                defer { isHelping.withLock { $0 = false } }
                while !Task.isCancelled {
                    beat.yield()
                    await Task.yield()
                }
                try Task.checkCancellation()
            } body: {
                await waitForCancellation()
                // Not with `Task`, which would see no cancellation: the next beat comes from a helper that goes on.
                let next = Task {
                    for await _ in beats { return true }
                    return false
                }
                let beats = await next.value
                #expect(beats && isHelping.withLock { $0 })
                throw Failure("body")
            }
        }
        task.cancel()
        await #expect(throws: Failure("body")) { try await task.value }
        #expect(!isHelping.withLock { $0 })
    }

    @Test("is cancelled by a lasting helper that fails; one that returns leaves it alone")
    func lastingFailure() async throws {
        await #expect(throws: Failure("helper")) {
            try await withLastingHelper {
                throw Failure("helper")
            } body: {
                await waitForCancellation()
            }
        }
        #expect(
            try await withLastingHelper {
            } body: {
                7
            } == 7
        )
    }
}
