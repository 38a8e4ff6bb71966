import Catalog
import FoundationEssentials
import GRPCCore
import GRPCDialing
import Host
import Positions
import SystemPackage
import TabletRPC
import TestKit
import Testing
import Topology
import Vocabulary
import WireProtos
import Workflows

/// The client of tablet managers, against a double of one.
@Suite("tablet manager client", .timeLimit(.minutes(60)))
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
            _ = try other.prepare(now: Date())
            let byName = other
            try await TabletManagerServer.with(certificates: named, position: { Self.position }) { server in
                let tablet = record("127.0.0.1", ["grpc": server.port])
                try await expectPosition(TabletManagerClient(dialing: byName), tablet)
            }
        }
    }

    @Test(
        "what no attempt heals ends the asking, what may heal does not",
        .enabled(if: RealComponents.has(programs: "openssl"), "openssl is missing")
    )
    func refusals() async throws {
        try await withTemporaryFolder { folder in
            let ours = try await TestCertificates(in: folder.appending("ours"))
            let strangers = try await TestCertificates(in: folder.appending("strangers"))
            func client(_ change: (inout TabletDialing) -> Void = { _ in }) throws -> TabletManagerClient {
                var dialing = TabletDialing()
                (dialing.tls.certificate, dialing.tls.key) = (ours.client.string, ours.clientKey.string)
                dialing.tls.authorities = ours.authority.string
                change(&dialing)
                _ = try dialing.prepare(now: Date())
                return TabletManagerClient(dialing: dialing)
            }
            try await TabletManagerServer.with(certificates: ours, position: { Self.position }) { server in
                let tablet = record(["grpc": server.port])
                try await expectPosition(try client(), tablet)
                for refused in [
                    try client { $0.tls.authorities = strangers.authority.string },
                    try client { $0.tls.serverName = "other.example" },
                    try client {
                        ($0.tls.certificate, $0.tls.key) = (strangers.client.string, strangers.clientKey.string)
                    },
                    try client { ($0.tls.certificate, $0.tls.key) = ("", "") },
                ] {
                    let error = await #expect(throws: PrimaryError.self) { _ = try await refused.position(of: tablet) }
                    #expect(error?.description.contains("HINT: see --tablet-manager-grpc-ca") == true)
                }
            }
            let ready = try client()
            // A server that speaks no TLS, one that takes connections and closes them, and one that is not there.
            try await TabletManagerServer.with(position: { Self.position }) { server in
                _ = await #expect(throws: PrimaryError.self) {
                    _ = try await ready.position(of: record(["grpc": server.port]))
                }
            }
            try await FaultyLine.with(to: freePort()) { line in
                _ = await #expect(throws: WorkflowError.self) {
                    _ = try await ready.position(of: record(["grpc": line.port]))
                }
            }
            await #expect(throws: WorkflowError.self) { _ = try await ready.position(of: record(["grpc": freePort()])) }
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

    @Test(
        "a certificate that is revoked is refused, with the reason",
        .enabled(if: RealComponents.has(programs: "openssl"), "openssl is missing")
    )
    func revoked() async throws {
        try await withTemporaryFolder { folder in
            let ours = try await TestCertificates(in: folder.appending("ours"))
            func client(_ list: FilePath) throws -> TabletManagerClient {
                var dialing = TabletDialing()
                (dialing.tls.certificate, dialing.tls.key) = (ours.client.string, ours.clientKey.string)
                (dialing.tls.authorities, dialing.revocationLists) = (ours.authority.string, list.string)
                let warnings = try dialing.prepare(now: Date())
                #expect(warnings.isEmpty)
                return TabletManagerClient(dialing: dialing)
            }
            let harmless = try client(try await ours.revocationList(revoking: ["client"]))
            let revoking = try client(try await ours.revocationList(revoking: ["server"]))
            try await TabletManagerServer.with(certificates: ours, position: { Self.position }) { server in
                for host in ["127.0.0.1", "localhost"] {
                    let tablet = record(host, ["grpc": server.port])
                    try await expectPosition(harmless, tablet)
                    await expectFailure("Certificate revoked: CN=server") {
                        _ = try await revoking.position(of: tablet)
                    }
                }
            }
            var dialing = TabletDialing()
            dialing.revocationLists = folder.appending("none").string
            await expectFailure("see --tablet-manager-grpc-crl") { _ = try dialing.prepare(now: Date()) }
        }
    }

    @Test("replication and state of a tablet, as its server says")
    func status() async throws {
        var status = Replicationdata_Status()
        (status.position, status.replicationLagSeconds) = (Self.position, 7)
        (status.ioState, status.sqlState, status.lastSqlError) = (2, 1, "it stopped")
        (status.sourceHost, status.sourcePort, status.backupRunning) = ("db1", 3307, true)
        var full = Replicationdata_FullStatus()
        (full.serverID, full.serverUuid, full.version) = (5, "uuid", "8.4.6")
        (full.gtidPurged, full.superReadOnly, full.tabletType) = (Self.position, true, .rdonly)
        full.replicationStatus = status
        full.replicationStatus.replicationLagUnknown = true
        var answers = TabletManagerServer.Answers()
        let (replication, state) = (status, full)
        let isReplica = LockedBox(true)
        answers.replicationStatus = {
            guard isReplica.get() else {
                throw RPCError(
                    code: .unknown,
                    message:
                        "TabletManager.ReplicationStatus on zone1-0000000101: no replication status (errno 100) (sqlstate HY000)"
                )
            }
            return replication
        }
        answers.fullStatus = { state }
        try await TabletManagerServer.with(answers) { server in
            let client = TabletManagerClient(dialing: TabletDialing())
            let tablet = record(["grpc": server.port])
            let found = try #require(try await client.replication(of: tablet, within: .seconds(60)))
            #expect(found.position?.encoded == Self.position)
            #expect(found.lag == .seconds(7))
            #expect((found.receiver, found.applier) == (.connecting, .stopped))
            #expect((found.sourceHost, found.sourcePort) == ("db1", 3307))
            #expect(found.applierError == "it stopped" && found.isBackupRunning)
            let whole = try await client.status(of: tablet, within: .seconds(60))
            #expect((whole.serverID, whole.serverUUID, whole.version) == (5, "uuid", "8.4.6"))
            #expect(whole.purged?.encoded == Self.position && whole.isSuperReadOnly && !whole.isReadOnly)
            #expect(whole.kind == .rdonly && whole.primaryPosition == nil)
            #expect(whole.replication?.lag == nil && whole.replication?.position?.encoded == Self.position)
            isReplica.set(false)
            #expect(try await client.replication(of: tablet, within: .seconds(60)) == nil)
        }
    }

    @Test("a tablet that backs up or restores: its lines arrive as they are written, and how it ended")
    func backups() async throws {
        let asked = LockedBox<Tabletmanagerdata_BackupRequest?>(nil)
        let askedToRestore = LockedBox<Tabletmanagerdata_RestoreFromBackupRequest?>(nil)
        var answers = TabletManagerServer.Answers()
        let (heard, hear) = AsyncStream<String>.makeStream()
        answers.backup = { request, send in
            asked.set(request)
            var event = Logutil_Event()
            (event.level, event.file, event.line, event.value) = (
                .error, "backup.go", 7, "one file failed, trying again"
            )
            (event.time.seconds, event.time.nanoseconds) = (1_000_000_000, 500_000_000)
            try await send(event)
            // Goes on only when the line has been heard: it was not kept until the end.
            for await _ in heard { break }
            if request.allowPrimary { throw RPCError(code: .failedPrecondition, message: "type PRIMARY cannot") }
        }
        answers.restore = { request, _ in askedToRestore.set(request) }
        try await TabletManagerServer.with(answers) { server in
            let client = TabletManagerClient(dialing: TabletDialing())
            let tablet = record(["grpc": server.port])
            let events = LockedBox<[TabletEvent]>([])
            let note: @Sendable (TabletEvent) async throws -> Void = { event in
                events.update { $0.append(event) }
                hear.yield(event.text)
            }
            var request = TabletBackupRequest()
            (request.engine, request.shutdownTimeout) = ("builtin", .milliseconds(1500))
            request.initQueries = .init(queries: ["q"], kinds: [.replica], timeout: .seconds(5), failsOnError: true)
            try await client.backUp(tablet, request, within: .seconds(60), onEvent: note)
            let event = try #require(events.get().first)
            #expect((event.level, event.file, event.line) == (.error, "backup.go", 7))
            #expect(event.time == Date(timeIntervalSince1970: 1_000_000_000.5))
            let sent = try #require(asked.get())
            #expect(sent.backupEngine == "builtin" && sent.concurrency == 4 && !sent.allowPrimary)
            #expect((sent.mysqlShutdownTimeout.seconds, sent.mysqlShutdownTimeout.nanos) == (1, 500_000_000))
            #expect(sent.initSql.tabletTypes == [.replica] && sent.initSql.failOnError)

            request.allowsPrimary = true
            let asPrimary = request
            await expectFailure("code = FailedPrecondition desc = type PRIMARY cannot") {
                try await client.backUp(tablet, asPrimary, within: .seconds(60), onEvent: note)
            }
            // A caller who has enough.
            struct Enough: Error {}
            await #expect(throws: Enough.self) {
                try await client.backUp(tablet, asPrimary, within: .seconds(60)) { _ in throw Enough() }
            }
            var restore = TabletRestoreRequest()
            (restore.backupTime, restore.dryRun) = (Date(timeIntervalSince1970: -1.5), true)
            try await client.restore(tablet, restore, within: .seconds(60)) { _ in }
            let wanted = try #require(askedToRestore.get())
            #expect((wanted.backupTime.seconds, wanted.backupTime.nanoseconds) == (-2, 500_000_000))
            #expect(wanted.dryRun && !wanted.hasRestoreToTimestamp)
        }
    }

    @Test("a tablet that does not answer ends the call in the caller's time")
    func silent() async throws {
        var answers = TabletManagerServer.Answers()
        answers.backup = { _, _ in try await Task.sleep(for: .seconds(600)) }
        try await TabletManagerServer.with(answers) { server in
            let client = TabletManagerClient(dialing: TabletDialing())
            let tablet = record(["grpc": server.port])
            let begun = ContinuousClock.now
            await #expect(throws: (any Error).self) {
                try await client.backUp(tablet, TabletBackupRequest(), within: .seconds(2)) { _ in }
            }
            #expect(ContinuousClock.now - begun < .onlyAHang)
        }
    }
}
