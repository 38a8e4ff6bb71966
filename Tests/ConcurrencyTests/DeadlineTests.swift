import Testing

@testable import Concurrency

@Suite("withDeadline", .timeLimit(.minutes(5)))
struct DeadlineTests {
    private static let never = Duration.seconds(3600)

    @Test("gives the result of a body that ends in time")
    func inTime() async throws {
        #expect(try await withDeadline(Self.never, operation: "counting") { 3 } == 3)
    }

    @Test("throws the error of a body that fails in time")
    func failsInTime() async throws {
        await #expect(throws: Failure("body")) {
            try await withDeadline(Self.never, operation: "failing") { throw Failure("body") }
        }
    }

    @Test("cancels the body when the time is up and says what was not done")
    func late() async throws {
        let events = Events<String>()
        let error = await #expect(throws: DeadlineExceeded.self) {
            try await withDeadline(.milliseconds(1), operation: "connecting to nowhere") {
                await waitForCancellation()
                events.note("cancelled")
                throw Failure("whatever")
            }
        }
        #expect(events.all == ["cancelled"])
        #expect(error?.description == "deadline exceeded: connecting to nowhere")
    }

    @Test("a result that comes after the deadline still counts")
    func lateResult() async throws {
        let result = try await withDeadline(.milliseconds(1), operation: "almost") {
            await waitForCancellation()
            return "late"
        }
        #expect(result == "late")
    }

    @Test("cancelling the caller cancels the body")
    func cancelled() async throws {
        let running = Gate()
        let task = Task {
            try await withDeadline(Self.never, operation: "waiting") {
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
