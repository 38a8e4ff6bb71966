import NIOCore
import NIOTLS

/// Drives the state machines of one connection on its event loop: bytes in, packets out, one statement at a time.
final class MySQLChannelHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Command
    typealias OutboundOut = ByteBuffer

    /// One statement and who waits for its results.
    struct Command: Sendable {
        var payload: ByteBuffer
        var limits: QueryStateMachine.Limits
        /// Takes the rows on the event loop.
        var consumer: QueryStateMachine.RowConsumer?
        var promise: EventLoopPromise<[ResultSet]>
    }

    private enum State {
        case handshake(HandshakeStateMachine, EventLoopPromise<HandshakeStateMachine.Outcome>)
        case idle
        case query(QueryStateMachine, EventLoopPromise<[ResultSet]>)
        case failed(MySQLWireError)
    }

    private let configuration: MySQLConnection.Configuration
    private var state: State
    private var decoder: PacketDecoder
    private var sequence: UInt8 = 0
    private var capabilities: Capabilities = []

    init(
        configuration: MySQLConnection.Configuration,
        handshake promise: EventLoopPromise<HandshakeStateMachine.Outcome>
    ) {
        self.configuration = configuration
        let isLocal = if case .unixSocket = configuration.address { true } else { false }
        state = .handshake(
            HandshakeStateMachine(credentials: configuration.credentials, tls: configuration.tls, isLocal: isLocal),
            promise
        )
        decoder = PacketDecoder(limit: (64 << 20) + (1 << 20))
    }

    // MARK: Inbound

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        decoder.feed(unwrapInboundIn(data))
        do throws(MySQLWireError) {
            while let packet = try decoder.next() {
                sequence = packet.sequence &+ 1
                try handle(packet.payload, context: context)
            }
        } catch {
            fail(error, context: context)
        }
    }

    private func handle(_ payload: ByteBuffer, context: ChannelHandlerContext) throws(MySQLWireError) {
        switch state {
        case .handshake(var machine, let promise):
            let action = try machine.received(payload)
            state = .handshake(machine, promise)
            try perform(action, promise, context: context)
        case .query(var machine, let promise):
            do throws(MySQLWireError) {
                let results = try machine.received(payload)
                state = results == nil ? .query(machine, promise) : .idle
                if let results { promise.succeed(results) }
            } catch {
                // The server's own error ends the statement, not the connection.
                guard case .server = error.code else { throw error }
                state = .idle
                promise.fail(error)
            }
        case .idle: throw MySQLWireError(.protocolViolation, "the server spoke without being asked")
        case .failed: break
        }
    }

    private func perform(
        _ action: HandshakeStateMachine.Action,
        _ promise: EventLoopPromise<HandshakeStateMachine.Outcome>,
        context: ChannelHandlerContext
    ) throws(MySQLWireError) {
        switch action {
        case .send(let payload): send(payload, context: context)
        case .startTLS(let request):
            // What came in clear must not be read as if it had come through TLS.
            guard decoder.isEmpty else {
                throw MySQLWireError(.protocolViolation, "the server spoke before TLS was set up")
            }
            send(request, context: context)
            let handler = try configuration.makeTLSHandler()
            do {
                try context.pipeline.syncOperations.addHandler(handler, position: .first)
            } catch {
                throw MySQLWireError(.tls, "cannot begin TLS: \(error)")
            }
        case .wait: break
        case .done(let outcome):
            capabilities = outcome.capabilities
            state = .idle
            promise.succeed(outcome)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent, case .handshake(var machine, let promise) = state {
            do throws(MySQLWireError) {
                let action = try machine.tlsEstablished()
                state = .handshake(machine, promise)
                try perform(action, promise, context: context)
            } catch {
                fail(error, context: context)
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(
            MySQLWireError(.connectionLost, "Lost connection to MySQL server at \(configuration.address)"),
            context: context
        )
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .handshake = state, configuration.tls != .disabled {
            fail(MySQLWireError(.tls, "TLS with \(configuration.address) failed: \(error)"), context: context)
        } else {
            fail(
                MySQLWireError(
                    .connectionLost,
                    "Lost connection to MySQL server at \(configuration.address): \(error)"
                ),
                context: context
            )
        }
    }

    // MARK: Outbound

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let command = unwrapOutboundIn(data)
        switch state {
        case .idle:
            sequence = 0
            state = .query(
                QueryStateMachine(
                    capabilities: capabilities,
                    limits: command.limits,
                    consumer: command.consumer
                ),
                command.promise
            )
            send(command.payload, context: context)
        case .failed(let error): command.promise.fail(error)
        case .handshake, .query:
            command.promise.fail(MySQLWireError(.protocolViolation, "the connection is busy with another statement"))
        }
        promise?.succeed()
    }

    private func send(_ payload: ByteBuffer, context: ChannelHandlerContext) {
        let (bytes, next) = PacketDecoder.encode(payload, sequence: sequence)
        sequence = next
        decoder.expect(next)
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    // MARK: End

    private func fail(_ error: MySQLWireError, context: ChannelHandlerContext) {
        let previous = state
        if case .failed = previous { return }
        state = .failed(error)
        switch previous {
        case .handshake(_, let promise): promise.fail(error)
        case .query(_, let promise): promise.fail(error)
        case .idle, .failed: break
        }
        context.close(promise: nil)
    }
}
