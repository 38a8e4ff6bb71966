import Concurrency
import Host
import NIOCore
import NIOPosix
import SystemPackage

@testable import MySQLWire

/// A server on a unix socket that greets, accepts every login and answers statements from a script.
enum ScriptedServer {
    /// What it does about a statement.
    enum Answer: Sendable {
        case packets([ByteBuffer])
        /// Closes the connection.
        case hangUp
        case silence
    }

    /// Runs `body` with the address of a server; `greets: false` makes one that never says a word.
    static func with(
        greets: Bool = true,
        answer: @escaping @Sendable (String) -> Answer = { _ in .silence },
        closed: @escaping @Sendable () -> Void = {},
        _ body: (MySQLConnection.Address, any EventLoopGroup) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let path = "/var/tmp/wire-tests-\(UInt64.random(in: 0 ... .max)).sock"
        try await withCleanup {
            let server = try await ServerBootstrap(group: group)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let handler = ScriptHandler(greets: greets, answer: answer, closed: closed)
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                }
                .bind(unixDomainSocketPath: path).get()
            try await body(.unixSocket(FilePath(path)), group)
            try await server.close()
        } cleanup: {
            try await group.shutdownGracefully()
            try FileTree.remove(FilePath(path))
        }
    }
}

private final class ScriptHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let greets: Bool
    private let answer: @Sendable (String) -> ScriptedServer.Answer
    private let closed: @Sendable () -> Void
    private var decoder = PacketDecoder(limit: 1 << 20)
    private var isLoggedIn = false

    init(
        greets: Bool,
        answer: @escaping @Sendable (String) -> ScriptedServer.Answer,
        closed: @escaping @Sendable () -> Void
    ) {
        (self.greets, self.answer, self.closed) = (greets, answer, closed)
    }

    func channelActive(context: ChannelHandlerContext) {
        if greets { send([ServerPackets.greeting()], from: 0, context: context) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        closed()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        decoder.feed(unwrapInboundIn(data))
        while let packet = try? decoder.next() {
            decoder.expect(0)
            guard isLoggedIn else {
                isLoggedIn = true
                send([ServerPackets.ok()], from: packet.sequence + 1, context: context)
                continue
            }
            switch answer(String(buffer: packet.payload).dropFirst().description) {
            case .packets(let packets): send(packets, from: 1, context: context)
            case .hangUp: context.close(promise: nil)
            case .silence: break
            }
        }
    }

    private func send(_ payloads: [ByteBuffer], from first: UInt8, context: ChannelHandlerContext) {
        var sequence = first
        for payload in payloads {
            let (bytes, next) = PacketDecoder.encode(payload, sequence: sequence)
            context.write(wrapOutboundOut(bytes), promise: nil)
            sequence = next
        }
        context.flush()
    }
}
