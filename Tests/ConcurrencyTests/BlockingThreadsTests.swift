import Synchronization
import SystemPackage
import Testing

@testable import Concurrency

@Suite("BlockingThreads", .timeLimit(.minutes(5)))
struct BlockingThreadsTests {
    @Test("gives results and errors of jobs")
    func results() async throws {
        try await BlockingThreads.with(count: 2) { threads in
            #expect(threads.count == 2)
            let answer = try await threads.run { 6 * 7 }
            #expect(answer == 42)
            await #expect(throws: Failure("job")) { try await threads.run { throw Failure("job") } }
        }
    }

    @Test("runs as many jobs at once as there are threads")
    func parallel() async throws {
        let (reader, writer) = try FileDescriptor.pipe()
        try await BlockingThreads.with(count: 2) { threads in
            // The first job blocks its thread until the second one has run.
            async let blocked = threads.run { try Self.readByte(reader) }
            try await threads.run { _ = try writer.writeAll([7]) }
            #expect(try await blocked == 7)
        }
        try reader.close()
        try writer.close()
    }

    @Test("a task that runs on the threads has its jobs done where it is, before what is queued")
    func executor() async throws {
        let order = try await BlockingThreads.with(count: 1) { threads in
            try await withThrowingTaskGroup(of: [String].self) { group in
                group.addTask(executorPreference: threads.executor) {
                    let done = Mutex<[String]>([])
                    // Runs on the only thread too, once this task lets go of it.
                    async let queued: Void = done.withLock { $0.append("queued") }
                    try await threads.run { done.withLock { $0.append("own") } }
                    await queued
                    return done.withLock { $0 }
                }
                return try await group.next()
            }
        }
        #expect(order == ["own", "queued"])
    }

    @Test("a cancelled task runs nothing")
    func cancelledBefore() async throws {
        try await BlockingThreads.with(count: 1) { threads in
            let task = Task {
                await waitForCancellation()
                _ = try await threads.run { Issue.record("the task was cancelled") }
            }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }

    @Test("a job whose task is cancelled before a thread is free never runs")
    func cancelledInQueue() async throws {
        let (reader, writer) = try FileDescriptor.pipe()
        try await BlockingThreads.with(count: 1) { threads in
            let busy = Gate()
            async let blocker = threads.run {
                busy.open()
                return try Self.readByte(reader)
            }
            await busy.wait()
            let waiting = Task { _ = try await threads.run { Issue.record("the task was cancelled") } }
            waiting.cancel()
            try writer.writeAll([1])
            await #expect(throws: CancellationError.self) { try await waiting.value }
            #expect(try await blocker == 1)
        }
        try reader.close()
        try writer.close()
    }

    @Test("threads end with their scope, also when it fails")
    func scope() async throws {
        var escaped: BlockingThreads?
        await #expect(throws: Failure("scope")) {
            try await BlockingThreads.with(count: 1) { threads in
                escaped = threads
                throw Failure("scope")
            }
        }
        let threads = try #require(escaped)
        await #expect(throws: (any Error).self) { _ = try await threads.run { Issue.record("the threads are gone") } }
    }

    private static func readByte(_ descriptor: FileDescriptor) throws -> UInt8? {
        try [UInt8](unsafeUninitializedCapacity: 1) { buffer, count in
            count = try descriptor.read(into: UnsafeMutableRawBufferPointer(buffer))
        }.first
    }
}
