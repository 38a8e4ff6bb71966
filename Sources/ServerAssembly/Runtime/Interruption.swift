import CommandLineKit
import Concurrency
import Glibc
import Host
import Logging
import Processes
import UnixSignals

/// The pass was ended by a signal.
struct Interrupted: Error, CustomStringConvertible {
    let description = "context canceled"
}

/// Runs `body` until it ends or a signal asks to end.
///
/// The first SIGTERM or SIGINT cancels `body`, which then stops mysqld and cleans up; after `grace`, or with a second
/// signal, the process ends at once, and the kernel takes mysqld with it. Whatever else runs below this process then, a
/// hook's server or what hooks have left in the background, is killed before. SIGHUP changes nothing.
/// - Throws: ``Interrupted`` after a signal, unless `body` succeeded all the same; else the error of `body`.
func withInterruption<Result: Sendable>(
    grace: Duration,
    logger: Logger,
    _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    do {
        return try await interruptible(grace: grace, logger: logger, body)
    } catch let error as Interrupted {
        Descendants.kill()
        throw error
    }
}

private func interruptible<Result: Sendable>(
    grace: Duration,
    logger: Logger,
    _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
    let (stops, stop) = AsyncStream<Void>.makeStream()
    let watching: @Sendable () async throws -> Void = {
        await watch(signals, grace: grace, logger: logger) {
            stop.yield()
            stop.finish()
        }
    }
    return try await withHelpers([watching]) { try await cancellable(by: stops, body) }
}

private func watch(
    _ signals: UnixSignalsSequence,
    grace: Duration,
    logger: Logger,
    stop: @escaping @Sendable () -> Void
) async {
    await withTaskGroup(of: Void.self) { group in
        var isStopping = false
        for await signal in signals where signal != .sighup {
            if isStopping {
                logger.error(
                    "second signal: ending at once; the tablet folder and an unfinished backup may be left behind"
                )
                Descendants.kill()
                _exit(128 + signalNumber(signal))
            }
            isStopping = true
            logger.warning("received \(signal), stopping; a second signal ends at once")
            stop()
            group.addTask {
                guard (try? await Task.sleep(for: grace)) != nil else { return }
                logger.error(
                    "cleaning up took longer than --shutdown-grace: ending at once; the tablet folder and an unfinished backup may be left behind"
                )
                Descendants.kill()
                _exit(1)
            }
        }
        group.cancelAll()
    }
}

private func signalNumber(_ signal: UnixSignal) -> Int32 {
    signal == .sigint ? SIGINT : SIGTERM
}

private func cancellable<Result: Sendable>(
    by stops: AsyncStream<Void>,
    _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            for await _ in stops { throw Interrupted() }
            return nil
        }
        var interrupted = false
        while true {
            do {
                guard let finished = try await group.next() else { throw Interrupted() }
                if let result = finished {
                    group.cancelAll()
                    return result
                }
            } catch is Interrupted {
                interrupted = true
                group.cancelAll()
            } catch {
                group.cancelAll()
                throw interrupted ? Interrupted() : error
            }
        }
    }
}
