import Concurrency
import FoundationEssentials
import GRPCDialing
import Glibc
import SystemPackage
import TestKit
import Testing
import Topology
import TopologyBackends
import Vocabulary

/// The topology in etcd, on real servers.
@Suite(
    "topology in etcd",
    .enabled(if: RealComponents.runsEtcd, "VTB_ETCD_ROOT is not set, or protoc or openssl is missing"),
    .timeLimit(.minutes(60))
)
struct EtcdTests {
    private func withTopology(
        _ series: EtcdServer.Series = .unstable,
        root: String = "/vitess/global",
        _ body: @escaping @Sendable (EtcdTopology, EtcdServer) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            try await EtcdServer.with(series, in: folder.appending("d")) { server in
                try await EtcdTopology.with(.init(address: server.address, root: root)) { try await body($0, server) }
            }
        }
    }

    /// Records that protoc encodes from its own reading of the proto files, as another program would write them.
    private func put(
        _ path: String,
        _ message: String,
        _ text: String,
        on store: EtcdTopology,
        in cell: TopologyCell
    )
        async throws
    {
        let bytes = try await Protoc.encode(message, text, file: "topodata.proto")
        _ = try await store.update(path, in: cell, bytes, expecting: nil)
    }

    @Test("all that a store promises, globally and in a cell", arguments: EtcdServer.Series.allCases)
    func conformance(series: EtcdServer.Series) async throws {
        try await withTopology(series) { topology, server in
            try await TopologyConformance.run(topology, named: "etcd \(series.rawValue)", in: .global)
            let cell = "server_address: '\(server.address)' root: '/vitess/zone1'"
            try await put("cells/zone1/CellInfo", "topodata.CellInfo", cell, on: topology, in: .global)
            try await TopologyConformance.run(topology, named: "etcd \(series.rawValue)", in: .cell("zone1"))
        }
    }

    @Test("a shard and its tablets in two cells, as another program writes them")
    func shard() async throws {
        try await withTopology(root: "vitess/global") { topology, server in
            for cell in ["zone1", "zone2"] {
                try await put(
                    "cells/\(cell)/CellInfo",
                    "topodata.CellInfo",
                    "server_address: '\(server.address)' root: 'vitess/\(cell)'",
                    on: topology,
                    in: .global
                )
            }
            try await put(
                "keyspaces/commerce/shards/-80/Shard",
                "topodata.Shard",
                "primary_alias { cell: 'zone1' uid: 100 } is_primary_serving: true",
                on: topology,
                in: .global
            )
            for (cell, uid) in [("zone1", 100), ("zone2", 200)] {
                try await put(
                    "keyspaces/commerce/shards/-80/ShardReplication",
                    "topodata.ShardReplication",
                    "nodes { tablet_alias { cell: '\(cell)' uid: \(uid) } }",
                    on: topology,
                    in: .cell(cell)
                )
                try await put(
                    "tablets/\(cell)-0000000\(uid)/Tablet",
                    "topodata.Tablet",
                    "alias { cell: '\(cell)' uid: \(uid) } type: \(uid == 100 ? "PRIMARY" : "REPLICA") hostname: 'h\(uid)' port_map { key: 'grpc' value: \(uid) } mysql_hostname: 'm' mysql_port: 3306",
                    on: topology,
                    in: .cell(cell)
                )
            }
            let shard = ShardTopology(store: topology)
            let tablets = try await shard.tablets(of: ShardPath("commerce/-80")).found
            #expect(tablets.map(\.kind) == [.primary, .replica])
            #expect(tablets.map(\.ports) == [["grpc": 100], ["grpc": 200]])
            #expect(try await shard.shard(ShardPath("commerce/-80")).primary == TabletAlias(cell: "zone1", uid: 100))

            // Bytes that are no record name where they are.
            _ = try await topology.update("keyspaces/commerce/shards/-80/Shard", in: .global, [0x38], expecting: nil)
            let damaged = await #expect(throws: TopologyError.self) {
                _ = try await shard.shard(ShardPath("commerce/-80"))
            }
            #expect(damaged?.code == .damagedRecord)
            #expect(damaged?.message.contains("keyspaces/commerce/shards/-80/Shard in cell global") == true)

            let unknown = await #expect(throws: TopologyError.self) {
                _ = try await topology.read("x", in: .cell("zone9"))
            }
            #expect(unknown?.code == .noNode)
        }
    }

    @Test("a server that is not there is told by itself, another one of the list is asked")
    func failover() async throws {
        let dead = "127.0.0.1:\(freePort())"
        let begun = ContinuousClock.now
        let error = await #expect(throws: TopologyError.self) {
            try await EtcdTopology.with(.init(address: dead, root: "/vitess/global")) { _ in }
        }
        #expect(error?.message.hasPrefix("Failed to open topo server (etcd2,\(dead),/vitess/global): ") == true)
        #expect(ContinuousClock.now - begun < .onlyAHang)
        try await withTopology { _, server in
            let configuration = EtcdTopology.Configuration(address: "\(dead),\(server.address)", root: "/r")
            try await EtcdTopology.with(configuration) { both in
                _ = try await both.create("File", in: .global, [1])
                #expect(try await both.read("File", in: .global).bytes == [1])
            }
        }
    }

    @Test("a server of the list that never answers, or has no address, keeps nobody from his work or from ending it")
    func silent() async throws {
        let silent = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(silent) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        // Connections are taken by the kernel, and nobody ever reads from them.
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(silent, $0, length) == 0 && listen(silent, 8) == 0 && getsockname(silent, $0, &length) == 0
            } ? Int(UInt16(bigEndian: pointer.pointee.sin_port)) : 0
        }
        #expect(port > 0)
        try await withTopology { _, server in
            for bad in ["127.0.0.1:\(port)", "no-such-host.invalid:2379"] {
                for list in ["\(server.address),\(bad)", "\(bad),\(server.address)"] {
                    let begun = ContinuousClock.now
                    try await EtcdTopology.with(.init(address: list, root: "/r")) { topology in
                        _ = try await topology.update("File", in: .global, [1], expecting: nil)
                        #expect(try await topology.read("File", in: .global).bytes == [1])
                    }
                    #expect(ContinuousClock.now - begun < .onlyAHang, "\(list)")
                }
            }
        }
    }

    @Test("a server that is started again is waited for")
    func restarted() async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appending("d")
            let port = freePort()
            try await EtcdServer.with(port: port, in: data) { first in
                try await EtcdTopology.with(.init(address: first.address, root: "/r")) { topology in
                    _ = try await topology.update("File", in: .global, [1], expecting: nil)
                    kill(first.process, SIGKILL)
                    async let bytes = topology.read("File", in: .global).bytes
                    try await EtcdServer.with(port: port, in: data) { _ in }
                    _ = try? await bytes
                    try await EtcdServer.with(port: port, in: data) { _ in
                        let again = try await topology.read("File", in: .global).bytes
                        #expect(again == [1])
                    }
                }
            }
        }
    }

    @Test("encrypted, with client certificates; a stranger's authority and a missing certificate are refused")
    func encrypted() async throws {
        try await withTemporaryFolder { folder in
            let ours = try await TestCertificates(in: folder.appending("ours"))
            let strangers = try await TestCertificates(in: folder.appending("strangers"))
            let tls = EtcdServer.TLS(certificate: ours.server, key: ours.serverKey, authorities: ours.authority)
            try await EtcdServer.with(tls: tls, in: folder.appending("d")) { server in
                var configuration = EtcdTopology.Configuration(address: server.address, root: "/r")
                func settings(_ client: TestCertificates, _ authority: FilePath) -> ClientTLS {
                    var tls = ClientTLS()
                    (tls.certificate, tls.key) = (client.client.string, client.clientKey.string)
                    tls.authorities = authority.string
                    return tls
                }
                for address in [server.address, "https://localhost:\(server.port)"] {
                    configuration.address = address
                    configuration.tls = settings(ours, ours.authority)
                    try await EtcdTopology.with(configuration) { topology in
                        _ = try await topology.update("File", in: .global, [1], expecting: nil)
                        #expect(try await topology.read("File", in: .global).bytes == [1])
                    }
                }
                let refused = [
                    nil, settings(strangers, ours.authority), settings(ours, strangers.authority),
                ]
                for (index, tls) in refused.enumerated() {
                    configuration.tls = tls
                    configuration.address = server.address
                    let begun = ContinuousClock.now
                    let error = await #expect(throws: TopologyError.self, "\(index)") {
                        try await EtcdTopology.with(configuration) { _ in }
                    }
                    #expect(error?.message.hasPrefix("Failed to open topo server (etcd2,") == true, "\(index)")
                    #expect(ContinuousClock.now - begun < .onlyAHang)
                }
            }
        }
    }

    @Test("a certificate for another host is refused, whether the endpoint is a name or an address")
    func otherHost() async throws {
        try await withTemporaryFolder { folder in
            let ours = try await TestCertificates(in: folder.appending("ours"), names: "DNS:etcd.example,IP:192.0.2.1")
            let tls = EtcdServer.TLS(certificate: ours.server, key: ours.serverKey, authorities: ours.authority)
            try await EtcdServer.with(tls: tls, in: folder.appending("d")) { server in
                var client = ClientTLS()
                (client.certificate, client.key) = (ours.client.string, ours.clientKey.string)
                client.authorities = ours.authority.string
                for address in [server.address, "localhost:\(server.port)"] {
                    var configuration = EtcdTopology.Configuration(address: address, root: "/r")
                    configuration.tls = client
                    _ = await #expect(throws: TopologyError.self, "\(address)") {
                        try await EtcdTopology.with(configuration) { _ in }
                    }
                }
            }
        }
    }

    @Test("a cell that moves to other servers is found there; one read at a time is enough for many readers")
    func moved() async throws {
        try await withTemporaryFolder { folder in
            try await EtcdServer.with(in: folder.appending("a")) { first in
                try await EtcdServer.with(in: folder.appending("b")) { second in
                    var configuration = EtcdTopology.Configuration(address: first.address, root: "/r")
                    configuration.readConcurrency = 1
                    try await EtcdTopology.with(configuration) { topology in
                        for (server, content) in [(first, 1), (second, 2), (first, 1)] as [(EtcdServer, UInt8)] {
                            let info = "server_address: '\(server.address)' root: '/zone1'"
                            try await put("cells/zone1/CellInfo", "topodata.CellInfo", info, on: topology, in: .global)
                            _ = try await topology.update("File", in: .cell("zone1"), [content], expecting: nil)
                            try await forEach(in: Array(0..<20), atMost: 20) { _ in
                                let file = try await topology.read("File", in: .cell("zone1"))
                                #expect(file.bytes == [content])
                            }
                        }
                    }
                    try await EtcdTopology.with(.init(address: second.address, root: "/zone1")) { topology in
                        let file = try await topology.read("File", in: .global)
                        #expect(file.bytes == [2])
                    }
                }
            }
        }
    }

    @Test("an address of IPv6", .enabled(if: RealComponents.hasIPv6, "there is no IPv6 on loopback"))
    func addressOfIPv6() async throws {
        try await withTopology { _, server in
            for address in ["[::1]:\(server.port)", "http://[::1]:\(server.port)"] {
                try await EtcdTopology.with(.init(address: address, root: "/r")) { topology in
                    _ = try await topology.update("File", in: .global, [1], expecting: nil)
                    #expect(try await topology.read("File", in: .global).bytes == [1])
                }
            }
        }
    }
}
