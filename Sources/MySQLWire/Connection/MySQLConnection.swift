import Concurrency
package import NIOCore
import NIOPosix
import SystemPackage

/// One connection to a MySQL or MariaDB server, for one statement at a time.
///
/// A statement whose task is cancelled closes the connection: its effect is then unknown, as after any lost connection.
package final class MySQLConnection: Sendable {
    private let channel: any Channel
    /// As the server reports it at log-in, such as `9.7.4-2`.
    package let serverVersion: String
    /// The server's number of this connection, as in its process list.
    package let connectionID: UInt32
    /// Whether the conversation is encrypted.
    package let usesTLS: Bool

    private init(channel: any Channel, outcome: HandshakeStateMachine.Outcome) {
        self.channel = channel
        serverVersion = outcome.serverVersion
        connectionID = outcome.connectionID
        usesTLS = outcome.usesTLS
    }

    /// Connects, logs in, runs `body` and closes.
    ///
    /// The connection must not escape.
    /// - Throws: ``MySQLWireError``, or what `body` throws.
    package static func with<Result: Sendable>(
        _ configuration: Configuration,
        on group: any EventLoopGroup,
        _ body: (MySQLConnection) async throws -> Result
    ) async throws -> Result {
        try await open(configuration, on: group).closing(after: body)
    }

    /// Connects and logs in; whoever opens closes by ``closing(after:)``.
    /// - Throws: ``MySQLWireError``.
    package static func open(
        _ configuration: Configuration,
        on group: any EventLoopGroup
    ) async throws -> MySQLConnection {
        try await connect(configuration, on: group)
    }

    /// Runs `body` and closes.
    /// - Throws: what `body` throws.
    package func closing<Result: Sendable>(
        after body: (MySQLConnection) async throws -> Result
    ) async throws -> Result {
        try await withCleanup {
            try await body(self)
        } cleanup: {
            try? await self.channel.close()
        }
    }

    /// Runs one statement, or several separated by semicolons.
    ///
    /// - Parameter sql: sent as it is; values must be quoted with ``SQLText``.
    /// - Returns: one answer for each statement.
    /// - Throws: ``MySQLWireError``. After a server's error the connection can be used again; the statements after the
    ///   failed one did not run.
    package func run(_ sql: String) async throws -> [ResultSet] {
        try await run(sql, limits: .init(), consumer: nil)
    }

    /// Runs one statement whose answer may have as many rows as the server has tables, and hands each on as it comes.
    /// - Parameters:
    ///   - sql: sent as it is.
    ///   - consume: takes the values of a row, on the event loop.
    /// - Throws: ``MySQLWireError``, after any number of rows.
    package func forEachRow(_ sql: String, _ consume: @escaping @Sendable ([String?]) -> Void) async throws {
        _ = try await run(sql, limits: .passing, consumer: consume)
    }

    private func run(
        _ sql: String,
        limits: QueryStateMachine.Limits,
        consumer: QueryStateMachine.RowConsumer?
    ) async throws -> [ResultSet] {
        var payload = ByteBuffer()
        payload.writeInteger(UInt8(3))
        payload.writeString(sql)
        return try await send(payload, limits: limits, consumer: consumer)
    }

    /// Says that a replica with this id is here, for as long as the connection lasts: as a server's receiver does before
    /// it asks for the binary log.
    /// - Throws: ``MySQLWireError``; the server's when the user may not replicate.
    package func registerReplica(serverID: UInt32) async throws {
        var payload = ByteBuffer()
        payload.writeInteger(UInt8(0x15))
        payload.writeInteger(serverID, endianness: .little)
        payload.writeRepeatingByte(0, count: 3)  // no host, user or password to show
        payload.writeRepeatingByte(0, count: 2 + 4 + 4)  // port, rank, source's id
        _ = try await send(payload)
    }

    private func send(
        _ payload: ByteBuffer,
        limits: QueryStateMachine.Limits = .init(),
        consumer: QueryStateMachine.RowConsumer? = nil
    ) async throws -> [ResultSet] {
        let promise = channel.eventLoop.makePromise(of: [ResultSet].self)
        let command = MySQLChannelHandler.Command(
            payload: payload,
            limits: limits,
            consumer: consumer,
            promise: promise
        )
        return try await withTaskCancellationHandler {
            guard !Task.isCancelled else {
                promise.fail(CancellationError())
                return try await promise.futureResult.get()
            }
            channel.writeAndFlush(command).cascadeFailure(to: promise)
            do {
                return try await promise.futureResult.get()
            } catch {
                try Task.checkCancellation()
                // A channel that is closed already says so in words of its own.
                guard error is ChannelError else { throw error }
                throw MySQLWireError(.connectionLost, "Lost connection to MySQL server: \(error)")
            }
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    /// Runs one statement and returns its answer.
    /// - Throws: ``MySQLWireError``.
    package func query(_ sql: String) async throws -> ResultSet {
        try await run(sql).last ?? ResultSet()
    }

    // MARK: Connecting

    private static func connect(
        _ configuration: Configuration,
        on group: any EventLoopGroup
    ) async throws -> MySQLConnection {
        do {
            return try await withDeadline(
                configuration.connectTimeout,
                operation: "connecting to MySQL at \(configuration.address)"
            ) {
                try await logIn(configuration, on: group)
            }
        } catch let error as DeadlineExceeded {
            throw MySQLWireError(.cannotConnect(errno: configuration.dialErrno), "\(error)")
        }
    }

    private static func logIn(
        _ configuration: Configuration,
        on group: any EventLoopGroup
    ) async throws -> MySQLConnection {
        let loop = group.next()
        let promise = loop.makePromise(of: HandshakeStateMachine.Outcome.self)
        let bootstrap = ClientBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        MySQLChannelHandler(configuration: configuration, handshake: promise)
                    )
                }
            }
        let channel: any Channel
        do {
            switch configuration.address {
            case .unixSocket(let path): channel = try await bootstrap.connect(unixDomainSocketPath: path.string).get()
            case .tcp(let host, let port): channel = try await bootstrap.connect(host: host, port: port).get()
            }
        } catch {
            promise.fail(error)
            var failure = MySQLWireError(
                .cannotConnect(errno: configuration.dialErrno),
                "net.Dial(\(configuration.address)) to \(configuration.dialErrno == 2002 ? "local " : "")server failed: \(error)"
            )
            failure.refusedCall = refusedCall(error)
            throw failure
        }
        return try await withTaskCancellationHandler {
            MySQLConnection(channel: channel, outcome: try await promise.futureResult.get())
        } onCancel: {
            channel.close(promise: nil)
        }
    }
}

/// What the system said to a call of ours; `nil` when it was not the system that failed.
private func refusedCall(_ error: any Error) -> Errno? {
    switch error {
    case let error as IOError: Errno(rawValue: error.errnoCode)
    case let error as NIOConnectionError: error.connectionErrors.lazy.compactMap { refusedCall($0.error) }.first
    default: nil
    }
}

extension MySQLConnection.Configuration {
    fileprivate var dialErrno: UInt16 {
        if case .unixSocket = address { 2002 } else { 2003 }
    }
}
