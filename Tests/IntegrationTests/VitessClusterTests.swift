import Catalog
import FoundationEssentials
import Glibc
import Host
import MySQLControl
import MySQLWire
import Positions
import SystemPackage
import TestKit
import Testing
import Topology
import TopologyBackends

/// Passes as in a cluster of Vitess: records in a real etcd, the primary's tablet manager answering for a real mysqld.
@Suite(
    "vtbackup in a cluster of Vitess",
    .enabled(
        if: RealComponents.runsMySQL && RealComponents.runsEtcd,
        "VT_MYSQL_ROOT or VTB_ETCD_ROOT is not set, or protoc or openssl is missing"
    ),
    .timeLimit(.minutes(60))
)
struct VitessClusterTests {
    private static let root = "/vitess/global"

    /// What a test can turn.
    private struct Cluster: Sendable {
        let shard: TestShard
        let etcd: EtcdServer
        /// All servers of etcd.
        let servers: String
        let tablet: TabletManagerServer
        let topology: EtcdTopology

        /// Writes the records of `zone1-101`, which is the primary, as vttablet does; `text` adds fields to the tablet's.
        func publish(hostname: String = "127.0.0.1", grpc: Int? = nil, _ text: String = "") async throws {
            try await put(
                "cells/zone1/CellInfo",
                "topodata.CellInfo",
                "server_address: '\(servers)' root: '/vitess/zone1'",
                in: .global
            )
            try await put(
                "keyspaces/commerce/shards/0/Shard",
                "topodata.Shard",
                "primary_alias { cell: 'zone1' uid: 101 } is_primary_serving: true",
                in: .global
            )
            let mysqlPort = shard.primary.mysqld.configuration.port
            try await put(
                "tablets/zone1-0000000101/Tablet",
                "topodata.Tablet",
                "alias { cell: 'zone1' uid: 101 } type: PRIMARY keyspace: 'commerce' shard: '0' hostname: '\(hostname)' port_map { key: 'vt' value: 15101 } port_map { key: 'grpc' value: \(grpc ?? tablet.port) } mysql_hostname: '127.0.0.1' mysql_port: \(mysqlPort) \(text)",
                in: .cell("zone1")
            )
        }

        /// Writes the record of a primary, and the shard's record that names it.
        func setPrimary(uid: Int, grpc: Int, mysqlPort: Int) async throws {
            try await put(
                "tablets/zone1-0000000\(uid)/Tablet",
                "topodata.Tablet",
                "alias { cell: 'zone1' uid: \(uid) } type: PRIMARY keyspace: 'commerce' shard: '0' hostname: '127.0.0.1' port_map { key: 'grpc' value: \(grpc) } mysql_hostname: '127.0.0.1' mysql_port: \(mysqlPort)",
                in: .cell("zone1")
            )
            try await put(
                "keyspaces/commerce/shards/0/Shard",
                "topodata.Shard",
                "primary_alias { cell: 'zone1' uid: \(uid) } is_primary_serving: true",
                in: .global
            )
        }

        /// Encoded by protoc, not by our own code.
        func put(_ path: String, _ message: String, _ text: String, in cell: TopologyCell) async throws {
            let bytes = try await Protoc.encode(message, text, file: "topodata.proto")
            _ = try await topology.update(path, in: cell, bytes, expecting: nil)
        }

        /// Runs `vtbackup` with the flags of a job in such a cluster.
        func vtbackup(_ flags: String...) async throws -> ProgramRun { try await vtbackup(flags) }

        func vtbackup(
            _ flags: [String],
            started: @Sendable (Int32) async throws -> Void = { _ in }
        ) async throws -> ProgramRun {
            try await shard.vtbackup(own + flags, started: started)
        }

        /// Until it says that it is refused, which it then tries again for a minute.
        func vtbackupRefused(_ flags: String...) async throws -> ProgramRun { try await vtbackupRefused(flags) }

        func vtbackupRefused(_ flags: [String]) async throws -> ProgramRun {
            try await shard.vtbackup(own + flags, until: "no waiting heals that")
        }

        private var own: [String] {
            [
                "--topo-implementation=etcd2", "--topo-global-server-address=\(servers)",
                "--topo-global-root=\(root)", "--tablet-manager-protocol=grpc",
            ]
        }
    }

    private func withCluster(
        login: TabletManagerServer.Login? = nil,
        certificates: TestCertificates? = nil,
        _ body: @escaping @Sendable (Cluster) async throws -> Void
    ) async throws {
        try await TestShard.with { shard in
            try await EtcdServer.with(in: shard.folder.appending("etcd")) { etcd in
                try await EtcdTopology.with(.init(address: etcd.address, root: Self.root)) { topology in
                    let position: @Sendable () async throws -> String = {
                        "MySQL56/" + (try await shard.primary.sql("SELECT @@global.gtid_executed").scalar ?? "")
                    }
                    try await TabletManagerServer.with(login: login, certificates: certificates, position: position) {
                        tablet in
                        let cluster = Cluster(
                            shard: shard,
                            etcd: etcd,
                            servers: etcd.address,
                            tablet: tablet,
                            topology: topology
                        )
                        try await cluster.publish()
                        try await body(cluster)
                    }
                }
            }
        }
    }

    /// Every key with its value, as etcd has them.
    private func dump(_ cluster: Cluster) async throws -> [String: TopologyFile] {
        var files: [String: TopologyFile] = [:]
        func visit(_ folder: String, _ cell: TopologyCell) async throws {
            for name in try await cluster.topology.list(folder, in: cell) {
                let path = folder.isEmpty ? name : "\(folder)/\(name)"
                do {
                    files["\(cell) \(path)"] = try await cluster.topology.read(path, in: cell)
                } catch let error as TopologyError where error.code == .noNode {
                    try await visit(path, cell)
                }
            }
        }
        try await visit("", .global)
        try await visit("", .cell("zone1"))
        return files
    }

    @Test("a first backup and a second pass, and nothing is written to the topology")
    func passes() async throws {
        try await withCluster { cluster in
            let before = try await dump(cluster)
            #expect(before.count == 3)
            try await cluster.shard.primary.sql("CREATE TABLE vt_commerce.customer (id INT PRIMARY KEY)")
            let first = try await cluster.vtbackup("--allow-first-backup")
            #expect(first.succeeded, "\(first.standardError.suffix(3000))")
            try await cluster.shard.primary.sql("INSERT INTO vt_commerce.customer VALUES (1), (2)")
            let second = try await cluster.vtbackup()
            #expect(second.succeeded, "\(second.standardError.suffix(3000))")
            #expect(cluster.tablet.calls.get() >= 2)
            // What a pass asks of the topology does not grow with the shard: the records of shard, cell and primary, each time
            // that it looks who the primary is.
            for run in [first, second] {
                let cost = try #require(run.standardError.firstMatch(of: #/topology: ([0-9]+) requests in ([^\n]*)/#))
                #expect(try #require(Int(cost.1)) < 40, "\(cost.0)")
            }
            let executed = try await cluster.shard.primary.sql("SELECT @@global.gtid_executed").scalar ?? ""
            #expect(try cluster.shard.newestManifest().position == (try .init(executed, flavor: .mysql56)))
            #expect(try await dump(cluster) == before)
        }
    }

    @Test("an initial backup is refused when a tablet serves, and taken when the shard does not exist")
    func initial() async throws {
        try await withCluster { cluster in
            let refused = try await cluster.vtbackup("--initial-backup")
            #expect(refused.exitCode == 1)
            #expect(refused.standardError.contains("refusing to upload initial backup of empty database"))
            #expect(refused.standardError.contains("zone1-0000000101"))
            // Nobody serves as far as can be told, but not all can be.
            try await cluster.put(
                "tablets/zone1-0000000101/Tablet",
                "topodata.Tablet",
                "alias { cell: 'zone1' uid: 101 } type: SPARE keyspace: 'commerce' shard: '0'",
                in: .cell("zone1")
            )
            let replication = "keyspaces/commerce/shards/0/ShardReplication"
            _ = try await cluster.topology.update(replication, in: .cell("zone1"), [0x0a], expecting: nil)
            let partial = try await cluster.vtbackup("--initial-backup")
            #expect(partial.exitCode == 1)
            #expect(
                partial.standardError.contains("failed to check whether shard commerce/0 has serving tablets"),
                "\(partial.standardError.suffix(2000))"
            )
            #expect(partial.standardError.contains("\(replication) in cell zone1"))
            try await cluster.topology.delete("keyspaces/commerce/shards/0/Shard", in: .global, expecting: nil)
            let taken = try await cluster.vtbackup("--initial-backup")
            #expect(taken.succeeded, "\(taken.standardError.suffix(3000))")
        }
    }

    @Test("user and password are sent; wrong ones are told at once, and are not shown")
    func credentials() async throws {
        try await withCluster(login: .init(user: "backup", password: "s3cret-word")) { cluster in
            let file = cluster.shard.folder.appending("creds.json")
            let flag = "--grpc-auth-static-client-creds=\(file)"
            try FileTree.write(Array(#"{"Username": "backup", "Password": "wrong-word"}"#.utf8), to: file)
            let wrong = try await cluster.vtbackupRefused("--allow-first-backup", flag)
            #expect(wrong.exitCode != 0)
            #expect(wrong.standardError.contains("code = PermissionDenied"))
            #expect(wrong.standardError.contains("HINT: check --grpc-auth-static-client-creds"))
            #expect(!wrong.standardError.contains("wrong-word"))
            try FileTree.write(Array(#"{"username": "backup", "password": "s3cret-word"}"#.utf8), to: file)
            let right = try await cluster.vtbackup("--allow-first-backup", flag)
            #expect(right.succeeded, "\(right.standardError.suffix(3000))")
            #expect(!right.standardError.contains("s3cret-word"))
        }
    }

    @Test("a cluster without a primary, and an etcd that is not there, are told")
    func unusable() async throws {
        try await withCluster { cluster in
            try await cluster.put("keyspaces/commerce/shards/0/Shard", "topodata.Shard", "", in: .global)
            let none = try await cluster.vtbackupRefused("--allow-first-backup")
            #expect(none.exitCode != 0)
            #expect(none.standardError.contains("shard commerce/0 has no primary"))
            let dead = try await cluster.vtbackup(
                "--allow-first-backup",
                "--topo-global-server-address=127.0.0.1:\(freePort())"
            )
            #expect(dead.exitCode == 1)
            #expect(dead.standardError.contains("Failed to open topo server (etcd2,127.0.0.1:"))
        }
    }

    // MARK: Failover

    private func position(of server: RunningMysqld) -> @Sendable () async throws -> String {
        { "MySQL56/" + (try await server.sql("SELECT @@global.gtid_executed").scalar ?? "") }
    }

    @Test("a primary that dies in mid catch-up: its successor in the shard's record is followed")
    func failover() async throws {
        try await withCluster { cluster in
            let survivor = cluster.shard.primary
            try await survivor.sql("CREATE TABLE vt_commerce.customer (id INT PRIMARY KEY, note INT)")
            let base = try await cluster.vtbackup("--allow-first-backup")
            #expect(base.succeeded, "\(base.standardError.suffix(2000))")
            let mysqld = try await TestServers.shared.server(
                in: cluster.shard.folder.appending("b"),
                eventLoops: cluster.shard.eventLoops
            )
            let (begun, begin) = AsyncStream<RunningMysqld>.makeStream()
            // Beside the pass, which goes on when this server is dead.
            async let _: Void = mysqld.withServer { server in
                begin.yield(server)
                try await Task.sleep(for: .seconds(3600))
            }
            let dying = try #require(await begun.first { _ in true })
            try await makePrimary(dying, insteadOf: survivor)
            try await dying.sql("INSERT INTO vt_commerce.customer VALUES (1, 1)")
            try await waitUntil(survivor, has: dying)
            let all = try await dying.sql("SELECT @@global.gtid_executed").scalar ?? ""
            // The pass cannot be done before its primary is dead, however slow the machine.
            let awaited = try await dying.transactionThatNeverComes()
            try await TabletManagerServer.with(position: { "MySQL56/\(all),\(awaited)" }) { tablet in
                try await cluster.setPrimary(uid: 102, grpc: tablet.port, mysqlPort: dying.mysqld.configuration.port)
                let run = try await cluster.vtbackup([]) { _ in
                    try await cluster.shard.waitForPass(toExecute: all)
                    try await survivor.sql("STOP REPLICA", "RESET REPLICA ALL")
                    let pid = try FileTree.read(dying.mysqld.directory.pidFile, limit: 64) ?? []
                    kill(try #require(Int32(String(decoding: pid, as: UTF8.self).filter(\.isNumber))), SIGKILL)
                    try await survivor.sql(
                        "SET SESSION gtid_next = '\(awaited)'",
                        "INSERT INTO vt_commerce.customer VALUES (2, 2)"
                    )
                    try await cluster.setPrimary(
                        uid: 101,
                        grpc: cluster.tablet.port,
                        mysqlPort: survivor.mysqld.configuration.port
                    )
                }
                #expect(run.succeeded, "\(run.standardError.suffix(3000))")
                #expect(run.standardError.contains("is now zone1-0000000101"))
                #expect(run.standardError.contains("following it"))
                #expect(try cluster.shard.backups().count == 2)
            }
        }
    }

    /// Lets a fresh server have all that `old` has, and `old` replicate from it.
    private func makePrimary(_ fresh: RunningMysqld, insteadOf old: RunningMysqld) async throws {
        var source = ReplicationSource(host: "127.0.0.1", port: 0, user: "vt_repl", password: "")
        source.port = old.mysqld.configuration.port
        try await fresh.replicate(from: source)
        try await waitUntil(fresh, has: old)
        try await fresh.sql("STOP REPLICA", "RESET REPLICA ALL")
        try await fresh.sql("SET GLOBAL super_read_only = OFF", "SET GLOBAL read_only = OFF")
        source.port = fresh.mysqld.configuration.port
        try await old.replicate(from: source)
    }

    private func waitUntil(_ replica: RunningMysqld, has source: RunningMysqld) async throws {
        let all = try await source.sql("SELECT @@global.gtid_executed").scalar ?? ""
        while try await replica.sql("SELECT GTID_SUBSET('\(all)', @@global.gtid_executed)").scalar != "1" {
            await pauseBetweenLooks()
        }
    }

    // MARK: What cannot be reached

    @Test("a primary without a record is told with its alias")
    func recordMissing() async throws {
        try await withCluster { cluster in
            try await cluster.topology.delete("tablets/zone1-0000000101/Tablet", in: .cell("zone1"), expecting: nil)
            let run = try await cluster.vtbackupRefused("--allow-first-backup")
            #expect(run.exitCode != 0)
            #expect(
                run.standardError.contains("Cannot read primary tablet zone1-0000000101: node doesn't exist:"),
                "\(run.standardError.suffix(2000))"
            )
            #expect(try cluster.shard.backups().isEmpty)
        }
    }

    @Test("a tablet whose certificate is refused is told at once, with the reason")
    func certificates() async throws {
        try await withTemporaryFolder { folder in
            let strangers = try await TestCertificates(in: folder.appending("strangers"))
            let ours = try await TestCertificates(in: folder.appending("ours"))
            let list = try await ours.revocationList(revoking: ["server"])
            try await withCluster(certificates: ours) { cluster in
                let client = [
                    "--allow-first-backup", "--tablet-manager-grpc-cert=\(ours.client)",
                    "--tablet-manager-grpc-key=\(ours.clientKey)",
                ]
                for (flags, reason) in [
                    (["--tablet-manager-grpc-ca=\(strangers.authority)"], "CERTIFICATE_VERIFY_FAILED"),
                    (
                        [
                            "--tablet-manager-grpc-ca=\(ours.authority)",
                            "--tablet-manager-grpc-server-name=other.example",
                        ],
                        "other.example"
                    ),
                    (
                        ["--tablet-manager-grpc-ca=\(ours.authority)", "--tablet-manager-grpc-crl=\(list)"],
                        "Certificate revoked: CN=server"
                    ),
                ] {
                    let run = try await cluster.vtbackupRefused(client + flags)
                    #expect(run.exitCode != 0)
                    #expect(run.standardError.contains(reason), "\(run.standardError.suffix(3000))")
                    #expect(run.standardError.contains("HINT: see --tablet-manager-grpc-ca"))
                }
                let run = try await cluster.vtbackup(client + ["--tablet-manager-grpc-ca=\(ours.authority)"])
                #expect(run.succeeded, "\(run.standardError.suffix(3000))")
            }
        }
    }

    // MARK: Locks

    private static let lockFolder = "internal/named_locks/vtbackup-commerce-0/locks"

    @Test("with --pass-lock=topo the lock is held while the pass runs, and nothing else is written")
    func passLock() async throws {
        try await withCluster { cluster in
            let before = try await dump(cluster)
            let seen = LockedBox("")
            let run = try await cluster.vtbackup([
                "--allow-first-backup", "--pass-lock=topo", "--topo-etcd-lease-ttl=10",
            ]) { process in
                while Programs.isAlive(process), seen.get().isEmpty {
                    guard let name = try? await cluster.topology.list(Self.lockFolder, in: .global).first else {
                        continue
                    }
                    let file = try await cluster.topology.read("\(Self.lockFolder)/\(name)", in: .global)
                    seen.set(String(decoding: file.bytes, as: UTF8.self))
                }
            }
            #expect(run.succeeded, "\(run.standardError.suffix(3000))")
            #expect(seen.get().contains("\"Action\": \"vtbackup\""))
            #expect(seen.get().contains("\"Status\": \"Running\""))
            #expect(try await dump(cluster) == before)
            // What the topology costs is said at the end.
            #expect(run.standardError.contains(#/topology: [0-9]+ requests in /#))
        }
    }

    @Test("a pass waits for who has the lock no longer than it should, and names him")
    func passLockHeld() async throws {
        try await withCluster { cluster in
            let holder = LockRecord(action: "vtbackup", host: "other-host", user: "vitess", time: Date())
            _ = try await cluster.topology.create("\(Self.lockFolder)/1", in: .global, holder.encoded)
            let flags = ["--allow-first-backup", "--pass-lock=topo", "--lock-timeout=10s"]
            let run = try await cluster.vtbackup(flags)
            #expect(run.exitCode == 1)
            #expect(
                run.standardError.contains("shard commerce/0 is being worked on by another pass"),
                "\(run.standardError.suffix(2000))"
            )
            #expect(run.standardError.contains("vitess on other-host (vtbackup) since "))
            #expect(try cluster.shard.backups().isEmpty)
            // Without it nobody asks.
            let without = try await cluster.vtbackup("--allow-first-backup")
            #expect(without.succeeded, "\(without.standardError.suffix(2000))")
        }
    }

    @Test("a pass that is told to end gives the lock back")
    func passLockInterrupted() async throws {
        try await withCluster { cluster in
            // A primary that cannot be reached keeps the pass in catch-up.
            try await cluster.publish(grpc: freePort())
            let run = try await cluster.vtbackup([
                "--allow-first-backup", "--pass-lock=topo", "--topo-etcd-lease-ttl=600",
            ]) { process in
                while Programs.isAlive(process),
                    (try? await cluster.topology.list(Self.lockFolder, in: .global)) == nil
                { await pauseBetweenLooks() }
                kill(process, SIGTERM)
            }
            #expect(run.exitCode == 1, "\(run.status)")
            let gone = await #expect(throws: TopologyError.self) {
                _ = try await cluster.topology.list(Self.lockFolder, in: .global)
            }
            #expect(gone?.code == .noNode)
        }
    }

    @Test("a pass that loses its lock commits nothing")
    func passLockLost() async throws {
        try await withCluster { cluster in
            let run = try await cluster.vtbackup([
                "--allow-first-backup", "--pass-lock=topo", "--topo-etcd-lease-ttl=10",
            ]) { process in
                // The lease in storage is taken under the lock.
                let lease = cluster.shard.storageRoot.appending("commerce").appending("0").appending(".vtbackup-lease")
                while Programs.isAlive(process), try FileTree.status(lease) == nil { await pauseBetweenLooks() }
                let name = try #require(try await cluster.topology.list(Self.lockFolder, in: .global).first)
                try await cluster.topology.delete("\(Self.lockFolder)/\(name)", in: .global, expecting: nil)
            }
            #expect(run.exitCode == 1)
            #expect(
                run.standardError.contains("is lost: somebody has removed its key"),
                "\(run.standardError.suffix(2000))"
            )
            #expect(run.standardError.contains("nothing is committed any more"))
            #expect(try cluster.shard.backups().isEmpty)
        }
    }

    @Test("three etcd servers: one is killed and started again in the middle of a pass that holds the lock")
    func members() async throws {
        try await TestShard.with { shard in
            let members = EtcdServer.Member.cluster(of: 3)
            let folders = members.map { shard.folder.appending("etcd-\($0.name)") }
            let list = members.map { "127.0.0.1:\($0.port)" }.joined(separator: ",")
            try await EtcdServer.with(member: members[0], in: folders[0]) { first in
                try await EtcdServer.with(member: members[1], in: folders[1]) { _ in
                    try await EtcdServer.with(member: members[2], in: folders[2]) { _ in
                        try await EtcdTopology.with(.init(address: list, root: Self.root)) { topology in
                            try await TabletManagerServer.with(position: position(of: shard.primary)) { tablet in
                                let cluster = Cluster(
                                    shard: shard,
                                    etcd: first,
                                    servers: list,
                                    tablet: tablet,
                                    topology: topology
                                )
                                try await cluster.publish()
                                let run = try await cluster.vtbackup([
                                    "--allow-first-backup", "--pass-lock=topo", "--topo-etcd-lease-ttl=20",
                                ]) { process in
                                    while Programs.isAlive(process),
                                        (try? await topology.list(Self.lockFolder, in: .global)) == nil
                                    { await pauseBetweenLooks() }
                                    kill(first.process, SIGKILL)
                                    try await EtcdServer.with(member: members[0], in: folders[0]) { _ in
                                        while Programs.isAlive(process), tablet.calls.get() == 0 {
                                            await pauseBetweenLooks()
                                        }
                                    }
                                }
                                #expect(run.succeeded, "\(run.standardError.suffix(3000))")
                                #expect(try shard.backups().count == 1)
                            }
                        }
                    }
                }
            }
        }
    }
}
