import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// A line to a server on loopback that can be cut, go silent, or be closed in one direction.
package final class FaultyLine: Sendable {
    private struct State {
        var isSilent = false
        var pairs: [(near: any Channel, far: any Channel)] = []
        var taken = 0
    }

    /// Where it listens instead of the server.
    package let port: Int
    private let listener: any Channel
    private let state: Mutex<State>

    /// Runs `body` with a line to `127.0.0.1:server`.
    package static func with<Result: Sendable>(
        to server: Int,
        _ body: (FaultyLine) async throws -> Result
    ) async throws -> Result {
        let holder = LockedBox<FaultyLine?>(nil)
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { near in
                ClientBootstrap(group: near.eventLoop)
                    .channelOption(.autoRead, value: false)
                    .connect(host: "127.0.0.1", port: server)
                    .flatMap { far in
                        do {
                            // Nothing is read before both sides can be written to.
                            let begin: @Sendable () -> Void = { holder.get()?.take(near, far) }
                            try near.pipeline.syncOperations.addHandler(Relay(to: far, onActive: begin))
                            try far.pipeline.syncOperations.addHandler(Relay(to: near))
                        } catch {
                            return near.eventLoop.makeFailedFuture(error)
                        }
                        return near.eventLoop.makeSucceededVoidFuture()
                    }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let line = FaultyLine(listener, port: listener.localAddress?.port ?? 0)
        holder.set(line)
        do {
            let result = try await body(line)
            try await line.end()
            return result
        } catch {
            try await line.end()
            throw error
        }
    }

    private init(_ listener: any Channel, port: Int) {
        (self.listener, self.port) = (listener, port)
        state = Mutex(State())
    }

    /// Connections that were taken so far.
    package var connections: Int { state.withLock { $0.taken } }

    /// Passes nothing on any more, and answers nothing; also new connections are only taken.
    ///
    /// With `false` everything that was held back goes on.
    package func setSilent(_ isSilent: Bool) {
        let pairs = state.withLock { state in
            state.isSilent = isSilent
            return state.pairs
        }
        for channel in pairs.flatMap({ [$0.near, $0.far] }) {
            channel.setOption(.autoRead, value: !isSilent).whenComplete { _ in
                if !isSilent { channel.read() }
            }
        }
    }

    /// Lets requests through and holds the answers back, on the connections that there are.
    package func holdAnswers() async throws {
        for pair in state.withLock({ $0.pairs }) { try await pair.far.setOption(.autoRead, value: false).get() }
    }

    /// Resets every connection, as a machine does that was started again.
    package func reset() {
        for pair in takePairs() {
            // Without lingering what is closed is reset.
            let options = pair.near as? any SocketOptionProvider
            options?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in pair.near.close(promise: nil) }
            pair.far.close(promise: nil)
        }
    }

    /// Closes every connection in the direction to the client only, and passes nothing on any more.
    package func closeHalf() {
        for pair in takePairs() {
            // Its end must not close the other side altogether.
            pair.far.pipeline.removeRelay().whenComplete { _ in
                pair.far.close(promise: nil)
                pair.near.close(mode: .output, promise: nil)
            }
        }
    }

    private func takePairs() -> [(near: any Channel, far: any Channel)] {
        state.withLock { state in
            defer { state.pairs = [] }
            return state.pairs
        }
    }

    private func take(_ near: any Channel, _ far: any Channel) {
        let isSilent = state.withLock { state in
            state.pairs.append((near, far))
            state.taken += 1
            return state.isSilent
        }
        guard !isSilent else { return }
        for channel in [near, far] {
            channel.setOption(.autoRead, value: true).whenComplete { _ in channel.read() }
        }
    }

    private func end() async throws {
        for pair in takePairs() {
            pair.near.close(promise: nil)
            pair.far.close(promise: nil)
        }
        try await listener.close().get()
    }
}

/// Passes what it reads on to the other side.
private final class Relay: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let other: any Channel
    private let onActive: @Sendable () -> Void

    init(to other: any Channel, onActive: @escaping @Sendable () -> Void = {}) {
        (self.other, self.onActive) = (other, onActive)
    }

    func channelActive(context: ChannelHandlerContext) { onActive() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        other.writeAndFlush(Self.unwrapInboundIn(data), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        other.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

extension ChannelPipeline {
    /// The other side does not end with this one then.
    fileprivate func removeRelay() -> EventLoopFuture<Void> {
        context(handlerType: Relay.self).flatMap { self.syncOperations.removeHandler(context: $0) }
    }
}
