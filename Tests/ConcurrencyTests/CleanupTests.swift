import Testing

@testable import Concurrency

@Suite("withCleanup and shielded", .timeLimit(.minutes(5)))
struct CleanupTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var body: Failure?
        var cleanup: Failure?
        var expected: Failure?
    }

    @Test(
        "cleanup runs once, the error of the body wins",
        arguments: [
            Case(testDescription: "both succeed"),
            Case(testDescription: "body fails", body: Failure("body"), expected: Failure("body")),
            Case(testDescription: "cleanup fails", cleanup: Failure("cleanup"), expected: Failure("cleanup")),
            Case(
                testDescription: "both fail",
                body: Failure("body"),
                cleanup: Failure("cleanup"),
                expected: Failure("body")
            ),
        ]
    )
    func outcomes(_ test: Case) async throws {
        let events = Events<String>()
        var result: Result<Int, any Error>
        do {
            let value = try await withCleanup {
                events.note("body")
                if let failure = test.body { throw failure }
                return 42
            } cleanup: {
                events.note("cleanup")
                if let failure = test.cleanup { throw failure }
            }
            result = .success(value)
        } catch {
            result = .failure(error)
        }
        #expect(events.all == ["body", "cleanup"])
        if let expected = test.expected {
            #expect(throws: expected) { try result.get() }
        } else {
            #expect(try result.get() == 42)
        }
    }

    @Test("a cancelled task still cleans up, and the cleanup sees no cancellation")
    func cancelled() async throws {
        let (running, events) = (Gate(), Events<String>())
        let task = Task {
            try await withCleanup {
                running.open()
                await waitForCancellation()
                try Task.checkCancellation()
            } cleanup: {
                try Task.checkCancellation()
                await Task.yield()
                events.note(Task.isCancelled ? "cleaned, cancelled" : "cleaned")
            }
        }
        await running.wait()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(events.all == ["cleaned"])
    }

    @Test("a shielded body runs to its end and gives its result although the task is cancelled")
    func shieldedResult() async throws {
        let (running, mayEnd) = (Gate(), Gate())
        let task = Task {
            try await shielded {
                running.open()
                await mayEnd.wait()
                return Task.isCancelled ? "cancelled" : "whole"
            }
        }
        await running.wait()
        task.cancel()
        mayEnd.open()
        #expect(try await task.value == "whole")
    }
}
