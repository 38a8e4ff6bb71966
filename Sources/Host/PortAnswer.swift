import NIOCore
import NIOPosix

/// What comes from a port that takes a connection.
package enum PortAnswer: Hashable, Sendable {
    /// The first bytes.
    case bytes([UInt8])
    /// The end of the connection, without any.
    case closed
    /// Nothing, for as long as was waited.
    case nothing

    /// Fewer say little.
    private static let enough = 9
    private static let connectLimit = TimeAmount.seconds(2)

    /// Connects, waits for whoever speaks first there, and then says something itself.
    /// - Parameters:
    ///   - host: a name or an address.
    ///   - port: of TCP.
    ///   - words: are sent when nothing has come by itself.
    ///   - patience: for what comes by itself.
    ///   - limit: for everything after the connection.
    /// - Returns: what came.
    /// - Throws: what the system says when there is no connection.
    package static func get(
        fromHost host: String,
        port: Int,
        to words: [UInt8],
        patience: Duration = .seconds(1),
        limit: Duration = .seconds(4)
    ) async throws -> PortAnswer {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: PortAnswer.self)
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: loop)
                .connectTimeout(connectLimit)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            Listener(words, TimeAmount(patience), TimeAmount(limit), promise)
                        )
                    }
                }
                .connect(host: host, port: port).get()
        } catch {
            promise.fail(error)
            throw error
        }
        return try await withTaskCancellationHandler {
            try await promise.futureResult.get()
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    private final class Listener: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let words: [UInt8]
        private let (patience, limit): (TimeAmount, TimeAmount)
        private let promise: EventLoopPromise<PortAnswer>
        private var heard: [UInt8] = []

        init(_ words: [UInt8], _ patience: TimeAmount, _ limit: TimeAmount, _ promise: EventLoopPromise<PortAnswer>) {
            (self.words, self.patience, self.limit, self.promise) = (words, patience, limit, promise)
        }

        func channelActive(context: ChannelHandlerContext) {
            context.eventLoop.assumeIsolated().scheduleTask(in: patience) {
                guard self.heard.isEmpty, context.channel.isActive else { return }
                context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: self.words)), promise: nil)
            }
            context.eventLoop.assumeIsolated().scheduleTask(in: limit) { self.end(context, .nothing) }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            heard += unwrapInboundIn(data).readableBytesView
            if heard.count >= PortAnswer.enough { end(context, .closed) }
        }

        func channelInactive(context: ChannelHandlerContext) {
            end(context, .closed)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            end(context, .closed)
        }

        /// The first call counts.
        private func end(_ context: ChannelHandlerContext, _ otherwise: PortAnswer) {
            promise.succeed(heard.isEmpty ? otherwise : .bytes(heard))
            context.close(promise: nil)
        }
    }
}
