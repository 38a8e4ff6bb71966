import Catalog
import FoundationEssentials
import Positions
import Streams
import SystemPackage
import TabletRPC
import TestKit
import Testing
import Topology
import Workflows

/// The client of tablet managers, against a double of one.
@Suite("tablet manager client", .timeLimit(.minutes(5)))
struct TabletManagerClientTests {
    private static let position = "MySQL56/3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5"

    private func record(_ ports: [String: Int]) -> TabletRecord { record("127.0.0.1", ports) }

    private func record(_ host: String, _ ports: [String: Int]) -> TabletRecord {
        TabletRecord(
            alias: TabletAlias(cell: "zone1", uid: 101),
            kind: .primary,
            keyspace: "commerce",
            shard: "0",
            mysqlHostname: "db",
            mysqlPort: 3306,
            hostname: host,
            ports: ports
        )
    }

    private func expectPosition(_ client: TabletManagerClient, _ tablet: TabletRecord) async throws {
        #expect(try await client.position(of: tablet).encoded == Self.position)
    }

    private func expectFailure(_ text: String, _ body: () async throws -> Void) async {
        do {
            try await body()
            Issue.record("nothing was thrown, expected: \(text)")
        } catch {
            #expect("\(error)".contains(text), "\(error)")
        }
    }

    @Test("asks for the position; what is none is an error that names the tablet")
    func positions() async throws {
        let answer = LockedBox(Self.position)
        try await TabletManagerServer.with(position: { answer.get() }) { server in
            let client = TabletManagerClient(dialing: TabletDialing())
            let tablet = record(["grpc": server.port, "vt": 1])
            try await expectPosition(client, tablet)
            answer.set("")
            let none = try await client.position(of: tablet)
            #expect(none.isEmpty)
            answer.set("nonsense")
            await expectFailure("can't decode primary replication position \"nonsense\" of tablet zone1-0000000101") {
                _ = try await client.position(of: tablet)
            }
        }
    }

    @Test("a message that is longer than allowed is refused")
    func messageSize() async throws {
        var dialing = TabletDialing()
        dialing.maximumMessageSize = 64
        let client = TabletManagerClient(dialing: dialing)
        try await TabletManagerServer.with(position: {
            Self.position + ":7-9:11-13:17-19:23-29:31-37:41-43:47-53:59-61"
        }) {
            server in
            await expectFailure("HINT: see --grpc-max-message-size") {
                _ = try await client.position(of: record(["grpc": server.port]))
            }
        }
    }

    @Test(
        "encrypted: the name or address of the host is verified, or the name that is given",
        .enabled(if: RealComponents.has(programs: "openssl"), "openssl is missing")
    )
    func encrypted() async throws {
        try await withTemporaryFolder { folder in
            let ours = try await TestCertificates(in: folder.appending("ours"))
            let named = try await TestCertificates(in: folder.appending("named"), names: "DNS:tablet.example")
            var dialing = TabletDialing()
            (dialing.tls.certificate, dialing.tls.key) = (ours.client.string, ours.clientKey.string)
            dialing.tls.authorities = ours.authority.string
            let mutual = dialing
            try await TabletManagerServer.with(certificates: ours, position: { Self.position }) { server in
                for host in ["127.0.0.1", "localhost"] {
                    let client = TabletManagerClient(dialing: mutual)
                    let tablet = record(host, ["grpc": server.port])
                    try await expectPosition(client, tablet)
                }
            }
            var other = dialing
            (other.tls.certificate, other.tls.key) = (named.client.string, named.clientKey.string)
            (other.tls.authorities, other.tls.serverName) = (named.authority.string, "tablet.example")
            let byName = other
            try await TabletManagerServer.with(certificates: named, position: { Self.position }) { server in
                let tablet = record("127.0.0.1", ["grpc": server.port])
                try await expectPosition(TabletManagerClient(dialing: byName), tablet)
            }
        }
    }

    @Test("a record that cannot be dialled says why before anything is dialled")
    func records() async throws {
        let client = TabletManagerClient(dialing: TabletDialing())
        await expectFailure("no tablet port map") { _ = try await client.position(of: record("h", [:])) }
        await expectFailure("invalid tablet grpc port: 0") { _ = try await client.position(of: record("h", ["vt": 1])) }
        await expectFailure("invalid tablet grpc port: -1") {
            _ = try await client.position(of: record("h", ["grpc": -1]))
        }
        await expectFailure("empty tablet hostname") { _ = try await client.position(of: record("", ["grpc": 1])) }
        var gone = record("", [:])
        gone.mysqlHostname = ""
        await expectFailure("tablet is shutdown") { _ = try await client.position(of: gone) }
        var stopped = record("h", ["grpc": 1])
        stopped.isShutDown = true
        await expectFailure("tablet is shutdown") { _ = try await client.position(of: stopped) }
    }

    @Test("the file of credentials: one that is none is told without what is in it, a new one counts at once")
    func credentials() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending("creds")
            #expect(throws: WorkflowError.self) { _ = try StaticCredentials(path: file) }
            try FileTree.write(Array("s3cret".utf8), to: file)
            let error = #expect(throws: WorkflowError.self) { _ = try StaticCredentials(path: file) }
            #expect(error?.description.contains("There was an error initializing client grpc.DialOption") == true)
            #expect(error?.description.contains("s3cret") == false)

            try FileTree.write(Array(#"{"USERNAME": "a", "password": "old"}"#.utf8), to: file)
            var dialing = TabletDialing()
            dialing.credentials = try StaticCredentials(path: file)
            let client = TabletManagerClient(dialing: dialing)
            let login = TabletManagerServer.Login(user: "a", password: "new")
            try await TabletManagerServer.with(login: login, position: { Self.position }) { server in
                let tablet = record(["grpc": server.port])
                await expectFailure("code = PermissionDenied") { _ = try await client.position(of: tablet) }
                try FileTree.write(Array(#"{"Username": "a", "Password": "new"}"#.utf8), to: file)
                try await expectPosition(client, tablet)
                // Half written, or gone: the last pair counts.
                try FileTree.write(Array(#"{"Username": "#.utf8), to: file)
                try await expectPosition(client, tablet)
                await expectFailure("code = Unauthenticated") {
                    _ = try await TabletManagerClient(dialing: TabletDialing()).position(of: tablet)
                }
            }
        }
    }
}
