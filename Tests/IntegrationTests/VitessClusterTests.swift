import Catalog
import FoundationEssentials
import MySQLControl
import MySQLWire
import Positions
import Streams
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
    .timeLimit(.minutes(20))
)
struct VitessClusterTests {
    private static let root = "/vitess/global"

    /// What a test can turn.
    private struct Cluster: Sendable {
        let shard: TestShard
        let etcd: EtcdServer
        let tablet: TabletManagerServer
        let topology: EtcdTopology

        /// Writes the records of `zone1-101`, which is the primary, as vttablet does; `text` adds fields to the tablet's.
        func publish(hostname: String = "127.0.0.1", grpc: Int? = nil, _ text: String = "") async throws {
            try await put(
                "cells/zone1/CellInfo",
                "topodata.CellInfo",
                "server_address: '\(etcd.address)' root: '/vitess/zone1'",
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

        /// Encoded by protoc, not by our own code.
        func put(_ path: String, _ message: String, _ text: String, in cell: TopologyCell) async throws {
            let bytes = try await Protoc.encode(message, text, file: "topodata.proto")
            _ = try await topology.update(path, in: cell, bytes, expecting: nil)
        }

        /// Runs `vtbackup` with the flags of a job in such a cluster.
        func vtbackup(_ flags: String...) async throws -> ProgramRun {
            try await shard.vtbackup(
                [
                    "--topo-implementation=etcd2", "--topo-global-server-address=\(etcd.address)",
                    "--topo-global-root=\(root)", "--tablet-manager-protocol=grpc",
                ] + flags
            )
        }
    }

    private func withCluster(
        login: TabletManagerServer.Login? = nil,
        _ body: @escaping @Sendable (Cluster) async throws -> Void
    ) async throws {
        try await TestShard.with { shard in
            try await EtcdServer.with(in: shard.folder.appending("etcd")) { etcd in
                try await EtcdTopology.with(.init(address: etcd.address, root: Self.root)) { topology in
                    let position: @Sendable () async throws -> String = {
                        "MySQL56/" + (try await shard.primary.sql("SELECT @@global.gtid_executed").scalar ?? "")
                    }
                    try await TabletManagerServer.with(login: login, position: position) { tablet in
                        let cluster = Cluster(shard: shard, etcd: etcd, tablet: tablet, topology: topology)
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
            try await cluster.topology.delete("keyspaces/commerce/shards/0/Shard", in: .global, expecting: nil)
            let taken = try await cluster.vtbackup("--initial-backup")
            #expect(taken.succeeded, "\(taken.standardError.suffix(3000))")
        }
    }

    @Test("user and password are sent; wrong ones end the pass at once, and are not shown")
    func credentials() async throws {
        try await withCluster(login: .init(user: "backup", password: "s3cret-word")) { cluster in
            let file = cluster.shard.folder.appending("creds.json")
            let flag = "--grpc-auth-static-client-creds=\(file)"
            try FileTree.write(Array(#"{"Username": "backup", "Password": "wrong-word"}"#.utf8), to: file)
            let begun = ContinuousClock.now
            let wrong = try await cluster.vtbackup("--allow-first-backup", flag)
            #expect(wrong.exitCode == 1)
            #expect(wrong.standardError.contains("code = PermissionDenied"))
            #expect(wrong.standardError.contains("HINT: check --grpc-auth-static-client-creds"))
            #expect(!wrong.standardError.contains("wrong-word"))
            #expect(ContinuousClock.now - begun < .seconds(60))
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
            let none = try await cluster.vtbackup("--allow-first-backup")
            #expect(none.exitCode == 1)
            #expect(none.standardError.contains("shard commerce/0 has no primary"))
            let dead = try await cluster.vtbackup(
                "--allow-first-backup",
                "--topo-global-server-address=127.0.0.1:\(freePort())"
            )
            #expect(dead.exitCode == 1)
            #expect(dead.standardError.contains("Failed to open topo server (etcd2,127.0.0.1:"))
        }
    }
}
