import Glibc
import Host
package import NIOCore
import Subprocess
import Synchronization
import SystemPackage

/// One run of an ``ExternalCommand``: bytes in, bytes out, and the truth about how it ended.
package struct ExternalProcess: Sendable {
    /// How long a child may do nothing; compressors with large blocks are silent for minutes.
    package static let defaultStallLimit = Duration.seconds(600)

    private let command: ExternalCommand
    private let stallLimit: Duration
    private let note: @Sendable (String) -> Void

    /// Describes a run.
    /// - Parameters:
    ///   - command: what to run; a program without a slash is looked for in `PATH`.
    ///   - stallLimit: how long the child may do nothing while only it could go on.
    ///   - note: takes each line of the child's stderr.
    package init(
        _ command: ExternalCommand,
        stallLimit: Duration = Self.defaultStallLimit,
        note: @escaping @Sendable (String) -> Void
    ) {
        (self.command, self.stallLimit, self.note) = (command, stallLimit, note)
    }

    /// Runs the command to its end.
    ///
    /// The child is gone when this returns or throws: on any error and on cancellation it is killed and reaped.
    /// - Parameters:
    ///   - input: the next bytes for its stdin; `nil` at their end.
    ///   - output: takes the bytes of its stdout, in order.
    /// - Throws: ``ProcessError`` with code `notRunnable` when it is not found, `failed` for a non-zero exit, when it
    ///   stalled, or ended before it had read everything; or what `input` or `output` throws.
    package func run(
        input: @escaping @Sendable () async throws -> ByteBuffer?,
        output: @escaping @Sendable (ByteBuffer) async throws -> Void
    ) async throws {
        // A child that ends early must not end us.
        _ = signal(SIGPIPE, SIG_IGN)
        var options = PlatformOptions()
        // A signal from the terminal is for us; we end the child in our own order.
        options.createSession = true
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .milliseconds(500))]
        let ending = try await withThrowingTaskGroup(of: Ending.self) { [options] group in
            let (conversation, over) = AsyncStream<Void>.makeStream()
            group.addTask {
                try await run(options, input: input, output: output) { over.finish() }
            }
            group.addTask {
                for await _ in conversation {}
                try await Task.sleep(for: stallLimit)
                throw failure("closed its output, did not end for \(stallLimit) and was killed")
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
        try Task.checkCancellation()
        switch ending.status {
        case .exited(0): break
        case .exited(let code): throw failure("exited with status \(code)")
        case .signaled(let signal): throw failure("was ended by signal \(signal)")
        }
        guard ending.tookAll else { throw failure("ended before it had read all of its input") }
    }

    private struct Ending: Sendable {
        var status: TerminationStatus
        /// It has read its input to the end.
        var tookAll: Bool
    }

    private func run(
        _ options: PlatformOptions,
        input: @escaping @Sendable () async throws -> ByteBuffer?,
        output: @escaping @Sendable (ByteBuffer) async throws -> Void,
        over: @escaping @Sendable () -> Void
    ) async throws -> Ending {
        do {
            let result = try await Subprocess.run(
                command.words[0].contains("/") ? .path(FilePath(command.words[0])) : .name(command.words[0]),
                arguments: Arguments(Array(command.words.dropFirst())),
                platformOptions: options,
                input: .inputWriter,
                output: .sequence,
                error: .sequence
            ) { execution in
                let tookAll = try await converse(with: execution, input: input, output: output)
                over()
                return tookAll
            }
            return Ending(status: result.terminationStatus, tookAll: result.closureResult)
        } catch let error as SubprocessError {
            let isUnknown = error.code == .executableNotFound || error.code == .spawnFailed
            throw failure("cannot be run: \(error)", isUnknown ? .notRunnable : .failed)
        }
    }

    private func failure(_ what: String, _ code: ProcessError.Code = .failed) -> ProcessError {
        ProcessError(code, "external command \"\(command)\" \(what); its messages are in the log")
    }

    // MARK: Conversation

    private enum Side { case input, output, messages, watch }

    /// - Returns: whether the child took all input.
    private func converse(
        with execution: Execution<CustomWriteInput, SequenceOutput, SequenceOutput>,
        input: @escaping @Sendable () async throws -> ByteBuffer?,
        output: @escaping @Sendable (ByteBuffer) async throws -> Void
    ) async throws -> Bool {
        let activity = ChildActivity()
        return try await withThrowingTaskGroup(of: Side.self) { group in
            group.addTask {
                try await feed(execution.standardInputWriter, input, activity)
                return .input
            }
            group.addTask {
                for try await piece in execution.standardOutput {
                    try await activity.outside { try await output(piece.withUnsafeBytes { ByteBuffer(bytes: $0) }) }
                }
                // The sequence also ends when we are cancelled: that is not the end of the output.
                try Task.checkCancellation()
                return .output
            }
            group.addTask {
                for try await line in execution.standardError.strings() { note(String(line.prefix(1000))) }
                return .messages
            }
            group.addTask {
                try await watch(activity)
                return .watch
            }
            // What the child does not read any more when it has closed its output is not missed by anybody here.
            var open: Set<Side> = [.output, .messages]
            while !open.isEmpty, let side = try await group.next() { open.remove(side) }
            group.cancelAll()
            while let _ = await group.nextResult() {}
            return activity.tookAll
        }
    }

    private func feed(
        _ writer: StandardInputWriter,
        _ input: @Sendable () async throws -> ByteBuffer?,
        _ activity: ChildActivity
    ) async throws {
        while let piece = try await activity.outside(input) {
            try Task.checkCancellation()
            // Fewer bytes or a broken pipe: it has ended, and its exit status says more.
            let written = try? await writer.write(Array(piece.readableBytesView))
            guard written == piece.readableBytes else {
                try Task.checkCancellation()
                try? await writer.finish()
                return
            }
            activity.progressed()
        }
        try await writer.finish()
        activity.tookEverything()
    }

    private func watch(_ activity: ChildActivity) async throws {
        while true {
            try await Task.sleep(for: stallLimit / 4)
            if activity.idleTime > stallLimit { throw failure("has done nothing for \(stallLimit) and was killed") }
        }
    }
}

/// Since when nothing has happened that only the child could have done.
private final class ChildActivity: Sendable {
    private struct State {
        var last = ContinuousClock.now
        var outside = 0
        var tookAll = false
    }

    private let state = Mutex(State())

    /// The child has read its input to the end.
    var tookAll: Bool { state.withLock { $0.tookAll } }

    func tookEverything() { state.withLock { ($0.tookAll, $0.last) = (true, .now) } }

    /// Zero while the other side of us is what is waited for.
    var idleTime: Duration {
        state.withLock { $0.outside > 0 ? .zero : ContinuousClock.now - $0.last }
    }

    func progressed() { state.withLock { $0.last = .now } }

    /// Runs what is not the child's fault if it takes long.
    func outside<Result>(_ body: () async throws -> Result) async throws -> Result {
        state.withLock { ($0.last, $0.outside) = (.now, $0.outside + 1) }
        defer { state.withLock { ($0.last, $0.outside) = (.now, $0.outside - 1) } }
        return try await body()
    }
}
