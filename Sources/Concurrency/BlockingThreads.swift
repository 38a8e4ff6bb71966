import NIOPosix

/// Threads for work that blocks or computes: file I/O and codecs.
///
/// The only place in this code base where a thread waits.
///
/// The threads belong to the scope that made them; jobs still queued when the scope is cancelled never run.
package struct BlockingThreads: Sendable {
    private let pool: NIOThreadPool
    /// Number of threads.
    package let count: Int
    /// Runs tasks on these threads from their first step on, so that ``run(_:)`` in them goes nowhere: for the many tasks
    /// that do one job each.
    package let executor: any TaskExecutor

    private init(_ pool: NIOThreadPool, count: Int) {
        (self.pool, self.count) = (pool, count)
        executor = PoolExecutor(pool: pool)
    }

    /// Runs `body` with `count` fresh threads and joins them afterwards.
    package static func with<Result: Sendable>(
        count: Int,
        _ body: (BlockingThreads) async throws -> Result
    ) async throws -> Result {
        let pool = NIOThreadPool(numberOfThreads: count)
        pool.start()
        return try await withCleanup {
            try await body(BlockingThreads(pool, count: count))
        } cleanup: {
            try await pool.shutdownGracefully()
        }
    }

    /// Runs `job` on one of the threads, or on this one when it is one of them.
    /// - Throws: what `job` throws, or `CancellationError` when the task was cancelled before a thread was free.
    package func run<Result: Sendable>(_ job: @escaping @Sendable () throws -> Result) async throws -> Result {
        try Task.checkCancellation()
        // Nothing else tells where a task runs; the reference to it does not leave the closure, which is all that is unsafe.
        let here = withUnsafeCurrentTask { $0?.unownedTaskExecutor }
        if here == executor.asUnownedTaskExecutor() { return try job() }
        return try await pool.runIfActive(job)
    }

    private final class PoolExecutor: TaskExecutor {
        private let pool: NIOThreadPool

        init(pool: NIOThreadPool) {
            self.pool = pool
        }

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            // Whatever the pool's state: a task that never runs would never end.
            pool.submit { _ in job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        }
    }
}
