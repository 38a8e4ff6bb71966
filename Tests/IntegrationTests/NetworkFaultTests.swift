import Catalog
import Concurrency
import FoundationEssentials
import Glibc
import Positions
import SystemPackage
import TabletRPC
import TestKit
import Testing
import Topology
import TopologyBackends
import Vocabulary

@testable import Workflows

/// Lines that are cut, go silent or are half closed, to a real etcd and to a tablet manager.
@Suite(
    "faults of the network",
    .enabled(if: RealComponents.runsEtcd, "VTB_ETCD_ROOT is not set, or protoc or openssl is missing"),
    .timeLimit(.minutes(60))
)
struct NetworkFaultTests {
    enum Fault: CaseIterable {
        case reset, halfClosed, silent
    }

    private func cut(_ line: FaultyLine, _ fault: Fault) {
        switch fault {
        case .reset: line.reset()
        case .halfClosed: line.closeHalf()
        case .silent: line.setSilent(true)
        }
    }

    private func withLine(
        _ body: @escaping @Sendable (EtcdTopology, FaultyLine, EtcdServer) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            try await EtcdServer.with(in: folder.appending("d")) { server in
                try await FaultyLine.with(to: server.port) { line in
                    try await EtcdTopology.with(.init(address: "127.0.0.1:\(line.port)", root: "/r")) {
                        try await body($0, line, server)
                    }
                }
            }
        }
    }

    @Test("etcd is read again over a new connection", arguments: Fault.allCases)
    func readAgain(fault: Fault) async throws {
        try await withLine { topology, line, _ in
            _ = try await topology.update("File", in: .global, [1], expecting: nil)
            for _ in 0..<3 {
                cut(line, fault)
                async let bytes = topology.read("File", in: .global).bytes
                if fault == .silent {
                    // A request that waits has been given up, and its connection with it.
                    try await Task.sleep(for: .seconds(6))
                    line.setSilent(false)
                }
                let read = try await bytes
                #expect(read == [1])
            }
            #expect(line.connections > 1)
        }
    }

    @Test("a line that stays silent ends a read in bounded time, and a later one finds its way")
    func silentFor60Seconds() async throws {
        try await withLine { topology, line, _ in
            _ = try await topology.update("File", in: .global, [1], expecting: nil)
            line.setSilent(true)
            let begun = ContinuousClock.now
            let error = await #expect(throws: TopologyError.self) { _ = try await topology.read("File", in: .global) }
            #expect(error?.code == .timeout)
            #expect(error?.message.contains("does not answer") == true)
            #expect(ContinuousClock.now - begun < .onlyAHang)
            try await Task.sleep(until: begun + .seconds(60))
            line.setSilent(false)
            #expect(try await topology.read("File", in: .global).bytes == [1])
        }
    }

    @Test("a write whose answer is lost is told, and is not sent again", arguments: Fault.allCases)
    func lostAnswer(fault: Fault) async throws {
        try await withLine { topology, line, server in
            let version = try await topology.update("File", in: .global, [1], expecting: nil)
            try await line.holdAnswers()
            let writing = Task { try await topology.update("File", in: .global, [2], expecting: nil) }
            try await EtcdTopology.with(.init(address: server.address, root: "/r")) { beside in
                while try await beside.read("File", in: .global).bytes != [2] { await pauseBetweenLooks() }
                cut(line, fault)
                let error = await #expect(throws: TopologyError.self) { _ = try await writing.value }
                #expect(error?.message.contains("does not answer") == true, "\(error?.message ?? "")")
                line.setSilent(false)
                // Every write makes the revision one higher.
                let written = try await beside.read("File", in: .global).version
                #expect(Int(written) == Int(version).map { $0 + 1 })
                let after = try await topology.update("File", in: .global, [3], expecting: written)
                #expect(Int(after) == Int(version).map { $0 + 2 })
            }
        }
    }

    /// A primary whose tablet manager listens on `port`.
    private func record(port: Int) -> TabletRecord {
        TabletRecord(
            alias: .init(cell: "zone1", uid: 101),
            kind: .primary,
            keyspace: "commerce",
            shard: "0",
            mysqlHostname: "db",
            mysqlPort: 3306,
            hostname: "127.0.0.1",
            ports: ["grpc": port]
        )
    }

    private func expectPosition(_ client: TabletManagerClient, _ tablet: TabletRecord, _ text: String) async throws {
        #expect(try await client.position(of: tablet).encoded == text)
    }

    @Test("a tablet that is cut off is told at once, one that is silent in time", arguments: Fault.allCases)
    func tablet(fault: Fault) async throws {
        let text = "MySQL56/3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5"
        try await TabletManagerServer.with(position: { text }) { server in
            try await FaultyLine.with(to: server.port) { line in
                let client = TabletManagerClient(dialing: TabletDialing())
                let tablet = record(port: line.port)
                try await expectPosition(client, tablet, text)
                // While the call runs.
                let begun = ContinuousClock.now
                line.setSilent(true)
                let running = Task { try await client.replication(of: tablet, within: .seconds(8)) }
                while line.connections < 2 { await pauseBetweenLooks() }
                cut(line, fault)
                await #expect(throws: (any Error).self) { _ = try await running.value }
                #expect(ContinuousClock.now - begun < .onlyAHang)
                line.setSilent(false)
                try await expectPosition(client, tablet, text)
            }
        }
    }

    @Test("a tablet that takes connections and says nothing is given up after a minute")
    func silentTablet() async throws {
        try await TabletManagerServer.with(position: { "" }) { server in
            try await FaultyLine.with(to: server.port) { line in
                line.setSilent(true)
                let tablet = record(port: line.port)
                let begun = ContinuousClock.now
                let client = TabletManagerClient(dialing: TabletDialing())
                await #expect(throws: (any Error).self) { _ = try await client.position(of: tablet) }
                #expect(ContinuousClock.now - begun < .onlyAHang)
            }
        }
    }

    @Test("a primary that stays unreachable is asked again and again until the time is up, then named")
    func unreachableUntilTheDeadline() async throws {
        let port = freePort()
        let topology = InMemoryTopology()
        topology.set(
            "keyspaces/commerce/shards/0/Shard",
            in: .global,
            to: #"{"primary_alias": {"cell": "zone1", "uid": 101}}"#
        )
        topology.set(
            "tablets/zone1-0000000101/Tablet",
            in: .cell("zone1"),
            to:
                #"{"alias": {"cell": "zone1", "uid": 101}, "type": "PRIMARY", "hostname": "127.0.0.1", "port_map": {"grpc": \#(port)}, "mysql_hostname": "db", "mysql_port": 3306}"#
        )
        let lines = LogLines()
        // Its waits take no time: what is real here is the port that nobody listens on.
        let waited = LockedBox(Duration.zero)
        let clock = Clocks(
            now: { Date() },
            elapsed: { waited.get() },
            sleep: { wait in waited.update { $0 += wait } }
        )
        let primary = ShardPrimary(
            shard: try ShardPath("commerce/0"),
            topology: ShardTopology(store: topology),
            tablets: TabletManagerClient(dialing: TabletDialing()),
            clock: clock,
            logger: lines.logger
        )
        let error = await #expect(throws: WorkflowError.self) { _ = try await primary.position(within: .seconds(30)) }
        #expect(error?.code == .topology)
        #expect(
            error?.description.contains("can't get primary replication position of shard commerce/0 in 30s") == true
        )
        #expect(error?.description.contains("zone1-0000000101 at 127.0.0.1") == true)
        // After 1, 2, 4 and 8 s of waiting; 16 more would be too many.
        #expect(lines.all.count == 4)
        #expect(waited.get() == .seconds(15))
    }
}
