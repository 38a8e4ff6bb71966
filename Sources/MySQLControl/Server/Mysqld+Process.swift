import Concurrency
import Glibc
import Host
import Logging
package import MySQLWire
import Subprocess
import SystemPackage

extension Mysqld {
    /// How long a server that is thrown away gets between SIGTERM and SIGKILL.
    package static let abandonTimeout = Duration.seconds(10)

    /// Starts mysqld, runs `body` with it, and stops it cleanly.
    ///
    /// When mysqld ends by itself, `body` is cancelled at once and the error carries the tail of the error log. When
    /// `body` fails or is cancelled, mysqld gets SIGTERM and after 10 seconds SIGKILL: its folder is thrown away then.
    /// It never outlives us: the kernel kills it when we die.
    /// - Parameters:
    ///   - arguments: extra arguments, also given to the start hooks.
    ///   - starter: who must be able to log in before the server counts as started, and who `body` works as; default: the
    ///     administrator. It is the administrator who stops the server in either case.
    ///   - body: works with the running server.
    /// - Returns: the result of `body`, once the server has stopped.
    /// - Throws: ``MysqldError``, or what `body` throws.
    package func withServer<Result: Sendable>(
        arguments: [String] = [],
        startedBy starter: MySQLConnection.Credentials? = nil,
        _ body: @escaping @Sendable (RunningMysqld) async throws -> Result
    ) async throws -> Result {
        let server = RunningMysqld(mysqld: self, administrator: starter ?? administrator)
        try includePersistedSettings()
        if try await isStartedByHook(arguments) {
            return try await withHookStartedServer(server, arguments: arguments, body)
        }
        try SocketLock(socket: configuration.socket).release()
        let command = serverCommand(arguments)
        logger.info("Mysqld.Start \(directory.path)")
        return try await withThrowingTaskGroup(of: ServerEvent<Result>.self) { group in
            group.addTask { .exited(try await runToEnd(command)) }
            group.addTask {
                _ = try await hooks.run("postflight_mysqld_start", arguments: arguments)
                try await server.waitUntilReady(limit: startTimeout)
                try await server.check()
                logger.info("mysqld is ready on \(configuration.socket)")
                let result = try await body(server)
                await server.administered(by: administrator).warnOfTimeZone()
                return .finished(result)
            }
            do {
                return try await supervise(&group, server.administered(by: administrator))
            } catch {
                throw await abandon(&group, because: error)
            }
        }
    }

    private enum ServerEvent<Result: Sendable>: Sendable {
        case exited(TerminationStatus)
        case finished(Result)
        case stopRequested
        case stopTimedOut
    }

    /// Follows the events of one server from start to end.
    private func supervise<Result: Sendable>(
        _ group: inout ThrowingTaskGroup<ServerEvent<Result>, any Error>,
        _ server: RunningMysqld
    ) async throws -> Result {
        var result: Result?
        while let event = try await group.next() {
            switch event {
            case .finished(let value):
                result = value
                logger.info("Mysqld.Shutdown")
                group.addTask {
                    try await requestStop(server)
                    return .stopRequested
                }
                group.addTask {
                    try await ShutdownWatch(directory: directory, logger: logger).standstill(of: stopTimeout)
                    return .stopTimedOut
                }
            case .stopRequested: break
            case .stopTimedOut:
                throw MysqldError(
                    .stop,
                    "gave up waiting for mysqld to stop: it has neither read nor written anything for \(stopTimeout)\n\(ErrorLogTail.text(directory.errorLog))"
                )
            case .exited(let status):
                guard let result, status.isSuccess else {
                    let moment = result == nil ? "by itself" : "while stopping"
                    throw MysqldError(
                        .died,
                        "mysqld ended \(moment) (\(status))\n\(ErrorLogTail.text(directory.errorLog))"
                    )
                }
                group.cancelAll()
                logger.info("mysqld has stopped")
                return result
            }
        }
        throw CancellationError()
    }

    /// Ends a server whose scope failed, and tells which error was first: a statement often fails because mysqld died.
    private func abandon<Result: Sendable>(
        _ group: inout ThrowingTaskGroup<ServerEvent<Result>, any Error>,
        because error: any Error
    ) async -> any Error {
        let begun = ContinuousClock.now
        group.cancelAll()
        while let event = await group.nextResult() {
            // Our SIGTERM ends a healthy mysqld with status 0; our SIGKILL comes only after 10 seconds.
            if case .success(.exited(.signaled(let signal))) = event, signal != SIGTERM,
                signal != SIGKILL || ContinuousClock.now - begun < Self.abandonTimeout
            {
                return MysqldError(
                    .died,
                    "mysqld was ended by signal \(signal)\n\(ErrorLogTail.text(directory.errorLog))",
                    cause: error
                )
            }
        }
        return error
    }

    /// Runs a program of the distribution that ends by itself, within the start timeout.
    /// - Throws: ``MysqldError`` with code `start` and the tail of the error log.
    func runOnce(_ program: FilePath, arguments: [String]) async throws {
        let command = command(program, arguments)
        let name = program.lastComponent?.string ?? program.string
        let status: TerminationStatus
        do {
            status = try await withDeadline(startTimeout, operation: "\(name) \(arguments.joined(separator: " "))") {
                try await runToEnd(command)
            }
        } catch let error as DeadlineExceeded {
            throw MysqldError(.start, "\(error)\n\(ErrorLogTail.text(directory.errorLog))")
        }
        guard status.isSuccess else {
            throw MysqldError(
                .start,
                "\(name) \(arguments.joined(separator: " ")) failed (\(status))\n\(ErrorLogTail.text(directory.errorLog))"
            )
        }
    }

    // MARK: Process

    private func serverCommand(_ arguments: [String]) -> [String] {
        // Whatever my.cnf says: a base of another's making may hold a source.
        command(installation.mysqld, [ReplicationDialect(installation.version).skipStartArgument] + arguments)
    }

    func command(_ program: FilePath, _ arguments: [String]) -> [String] {
        user.launcher(Launcher.program) + [program.string, "--defaults-file=\(directory.configuration)"]
            + ["--basedir=\(installation.baseDirectory)"] + user.serverArguments + arguments
    }

    func executable(of command: [String]) -> FilePath { FilePath(command[0]) }

    func arguments(of command: [String]) -> Arguments {
        Arguments(
            executablePathOverride: command[0] == Launcher.ownProgram.string ? Launcher.name : nil,
            remainingValues: Array(command.dropFirst())
        )
    }

    var environment: Environment {
        .inherit.updating(["LD_LIBRARY_PATH": installation.root.appending("lib").appending("mysql").string])
    }

    /// Runs a command until it ends.
    ///
    /// Its output goes to the error log, where mysqld itself writes as soon as it can.
    private func runToEnd(_ command: [String]) async throws -> TerminationStatus {
        let log = try FileTree.openAppending(directory.place(directory.errorLog), owner: user.fileOwner)
        var options = PlatformOptions()
        // Ctrl-C in a terminal is for us; we stop mysqld in our own order.
        options.createSession = true
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: Self.abandonTimeout)]
        do {
            return try await Subprocess.run(
                .path(executable(of: command)),
                arguments: arguments(of: command),
                environment: environment,
                workingDirectory: installation.root,
                platformOptions: options,
                output: .fileDescriptor(log, closeAfterSpawningProcess: false),
                error: .fileDescriptor(log, closeAfterSpawningProcess: true)
            ).terminationStatus
        } catch let error as SubprocessError {
            throw MysqldError(.start, "failed to start mysqld: cannot run \(command[0])", cause: error)
        }
    }

    // MARK: Stopping

    private func requestStop(_ server: RunningMysqld) async throws {
        _ = try await hooks.run("preflight_mysqld_shutdown")
        if try await hooks.run("mysqld_shutdown") == nil { try await server.requestShutdown() }
    }

    // MARK: Started by a hook

    /// Whether there is a hook that starts the server; when it fails or is cancelled, what it has started is gone.
    private func isStartedByHook(_ arguments: [String]) async throws -> Bool {
        do {
            return try await hooks.run("mysqld_start", arguments: arguments) != nil
        } catch {
            try? await shielded { await FolderServers(directory: directory).kill() }
            throw error
        }
    }

    /// The same for a server that is not our child: its death shows only in what we do with it.
    private func withHookStartedServer<Result: Sendable>(
        _ server: RunningMysqld,
        arguments: [String],
        _ body: (RunningMysqld) async throws -> Result
    ) async throws -> Result {
        do {
            _ = try await hooks.run("postflight_mysqld_start", arguments: arguments)
            try await server.waitUntilReady(limit: startTimeout)
            try await server.check()
            let result = try await body(server)
            try await stopHookStarted(server.administered(by: administrator))
            return result
        } catch {
            try? await shielded { await abandonHookStarted(server) }
            throw error
        }
    }

    /// Ends a server whose scope failed: its folder is thrown away, and nobody else would ever end it.
    private func abandonHookStarted(_ server: RunningMysqld) async {
        do {
            try await withDeadline(Self.abandonTimeout, operation: "stopping mysqld") {
                // The administrator may not be there yet, or the starter no longer.
                do {
                    try await stopHookStarted(server.administered(by: administrator))
                } catch is MySQLWireError {
                    try await stopHookStarted(server)
                }
            }
        } catch {
            logger.warning("mysqld, which a hook has started, does not stop and is killed: \(error)")
        }
        await FolderServers(directory: directory).kill()
    }

    private func stopHookStarted(_ server: RunningMysqld) async throws {
        do {
            try await withDeadline(stopTimeout, operation: "stopping mysqld") { try await requestStop(server) }
            // Ends by itself only when the server hangs.
            let watch: @Sendable () async throws -> Void = {
                try await ShutdownWatch(directory: directory, logger: logger).standstill(of: stopTimeout)
                throw DeadlineExceeded(operation: "it has neither read nor written anything for \(stopTimeout)")
            }
            try await withHelpers([watch]) { try await server.waitUntilGone() }
        } catch let error as DeadlineExceeded {
            throw MysqldError(
                .stop,
                "gave up waiting for mysqld to stop: \(error)\n\(ErrorLogTail.text(directory.errorLog))"
            )
        }
    }
}
