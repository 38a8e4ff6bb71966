import Catalog
import Concurrency
import GRPCDialing
import Host
import MySQLControl
import NIOCore
import NIOPosix
import SystemPackage
import TestKit
import Testing
import Topology
import Vocabulary
import Workflows

@testable import TabletRPC

/// What is told of a port that is no tablet's.
@Suite("a tablet's port where something else listens", .timeLimit(.minutes(60)))
struct TabletPortTests {
    private static let position = "MySQL56/3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5"

    private func client(_ certificates: TestCertificates? = nil) -> TabletManagerClient {
        var dialing = TabletDialing()
        if let certificates {
            (dialing.tls.certificate, dialing.tls.key) = (certificates.client.string, certificates.clientKey.string)
            dialing.tls.authorities = certificates.authority.string
        }
        return TabletManagerClient(dialing: dialing)
    }

    private func tablet(_ port: Int) -> TabletRecord {
        TabletRecord(
            alias: TabletAlias(cell: "zone1", uid: 101),
            kind: .primary,
            keyspace: "commerce",
            shard: "0",
            mysqlHostname: "127.0.0.1",
            mysqlPort: 3306,
            hostname: "127.0.0.1",
            ports: ["grpc": port]
        )
    }

    /// A server that says something at once, answers whatever it hears, and closes then; or says nothing.
    private func withServer(
        greeting: String = "",
        answer: String? = nil,
        _ body: (Int) async throws -> Void
    ) async throws {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Parrot(greeting, answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        try await withCleanup {
            try await body(try #require(listener.localAddress?.port))
        } cleanup: {
            try await listener.close()
        }
    }

    private final class Parrot: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let (greeting, answer): (String, String?)

        init(_ greeting: String, _ answer: String?) { (self.greeting, self.answer) = (greeting, answer) }

        func channelActive(context: ChannelHandlerContext) {
            guard !greeting.isEmpty else { return }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: greeting)), promise: nil)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard let answer else { return }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
            context.close(promise: nil)
        }
    }

    private func expectRefusal(
        _ text: String,
        _ client: TabletManagerClient,
        port: Int,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        let error = await #expect(throws: PrimaryError.self, sourceLocation: sourceLocation) {
            _ = try await client.position(of: tablet(port))
        }
        let told = error?.description ?? ""
        #expect(told.contains(text) && told.contains("HINT: "), "\(told)", sourceLocation: sourceLocation)
    }

    @Test(
        "an HTTP server, and one that greets in words of its own, with TLS and without",
        .enabled(if: RealComponents.has(programs: "openssl"), "openssl is missing")
    )
    func words() async throws {
        try await withTemporaryFolder { folder in
            let certificates = try await TestCertificates(in: folder.appending("c"))
            for client in [client(), client(certificates)] {
                let http = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                try await withServer(answer: http) { port in
                    await expectRefusal("an HTTP server without gRPC listens there", client, port: port)
                }
                try await withServer(greeting: "SSH-2.0-OpenSSH_9.2p1\r\n") { port in
                    await expectRefusal("begins with \"SSH-2.0-OpenSSH_\" and speaks no gRPC", client, port: port)
                }
            }
        }
    }

    @Test(
        "mysqld itself",
        .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set"),
        arguments: [TestServers.Product.mysql] + (RealComponents.runsMariaDB ? [.mariaDB] : [])
    )
    func mysqld(_ product: TestServers.Product) async throws {
        try await withTestServer(product) { server, _ in
            await expectRefusal("a MySQL server listens there", client(), port: server.mysqld.configuration.port)
        }
    }

    @Test(
        "a tablet that speaks TLS and one that speaks none, asked the other way",
        .enabled(if: RealComponents.has(programs: "openssl"), "openssl is missing")
    )
    func encryption() async throws {
        try await withTemporaryFolder { folder in
            let certificates = try await TestCertificates(in: folder.appending("c"))
            try await TabletManagerServer.with(certificates: certificates, position: { Self.position }) { server in
                await expectRefusal("that port speaks TLS", client(), port: server.port)
            }
            try await TabletManagerServer.with(position: { Self.position }) { server in
                await expectRefusal("that port speaks no TLS", client(certificates), port: server.port)
            }
        }
    }

    @Test("silence is told, and may be a tablet that hangs: it is no refusal")
    func silence() async throws {
        try await withServer { port in
            let error = await #expect(throws: WorkflowError.self) {
                try await client().backUp(tablet(port), TabletBackupRequest(), within: .seconds(2)) { _ in }
            }
            #expect(error?.description.contains("takes connections there and says nothing") == true)
        }
    }

    @Test("first bytes and what they are of")
    func bytes() {
        func judge(_ bytes: [UInt8]) -> PortProtocol? { PortProtocol(.bytes(bytes)) }
        #expect(judge([0, 0, 18, 4, 0, 0, 0, 0, 0]) == .http2)
        #expect(judge([0, 0, 8, 7, 0, 0, 0, 0, 0]) == .http2)
        #expect(judge([21, 3, 1, 0, 2, 2, 70]) == .tls)
        #expect(judge([74, 0, 0, 0, 10] + Array("9.7.4\0".utf8)) == .mysql)
        #expect(judge([69, 0, 0, 0, 255, 106, 4] + Array("Host".utf8)) == .mysql)
        #expect(judge(Array("HTTP/1.0 400".utf8)) == .http1)
        #expect(judge([7, 32]) == .other("\\x07 "))
        #expect(PortProtocol(.closed) == nil)
        #expect(PortProtocol(.nothing) == .silence)
    }
}
