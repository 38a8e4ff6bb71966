package import NIOCore

/// Runs tasks on the thread of an event loop, for what must go on while every other thread computes.
///
/// Only for tasks that never block.
package final class EventLoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    /// Uses the loop's thread, beside what the loop does.
    package init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// Runs `job` on the thread, in its turn.
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
