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

    /// Runs `body` with `count` fresh threads and joins them afterwards.
    package static func with<Result: Sendable>(
        count: Int,
        _ body: (BlockingThreads) async throws -> Result
    ) async throws -> Result {
        let pool = NIOThreadPool(numberOfThreads: count)
        pool.start()
        return try await withCleanup {
            try await body(BlockingThreads(pool: pool, count: count))
        } cleanup: {
            try await pool.shutdownGracefully()
        }
    }

    /// Runs `job` on one of the threads.
    /// - Throws: what `job` throws, or `CancellationError` when the task was cancelled before a thread was free.
    package func run<Result: Sendable>(_ job: @escaping @Sendable () throws -> Result) async throws -> Result {
        try Task.checkCancellation()
        return try await pool.runIfActive(job)
    }
}
