import Concurrency
import FoundationEssentials
import Glibc
import SystemPackage
import TestKit
import Testing
import Topology
import TopologyBackends

/// Named locks in etcd, on real servers.
@Suite(
    "locks in etcd",
    .enabled(if: RealComponents.runsEtcd, "VTB_ETCD_ROOT is not set, or protoc or openssl is missing"),
    .timeLimit(.minutes(60))
)
struct EtcdLockTests {
    private static let record = LockRecord(
        action: "vtbackup",
        host: "host1",
        user: "<vitess>",
        time: Date(timeIntervalSince1970: 1_774_620_306)
    )

    /// Leases long enough for a process that runs all other tests besides; a program of its own can do with shorter ones.
    private func limits(_ lifetime: Int64 = 30, acquisition: Duration = .seconds(60)) -> LockLimits {
        var limits = LockLimits()
        (limits.lifetime, limits.acquisition) = (.seconds(lifetime), acquisition)
        return limits
    }

    private func withTopology(
        _ series: EtcdServer.Series = .unstable,
        _ body: @escaping @Sendable (EtcdTopology, EtcdServer) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            try await EtcdServer.with(series, in: folder.appending("d")) { server in
                try await EtcdTopology.with(.init(address: server.address, root: "/vitess/global")) {
                    try await body($0, server)
                }
            }
        }
    }

    private let folder = "internal/named_locks/vtbackup-commerce-0/locks"

    /// Takes the lock that a pass takes.
    private func lock<Result: Sendable>(
        _ topology: EtcdTopology,
        _ limits: LockLimits,
        _ body: @escaping @Sendable (any TopologyLock) async throws -> Result
    ) async throws -> Result {
        try await topology.withNamedLock("vtbackup-commerce-0", Self.record, limits, body)
    }

    private func expectLost(_ reason: String, _ body: () async throws -> Void) async {
        let error = await #expect(throws: TopologyError.self) { try await body() }
        #expect(error?.code == .lockLost)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
    }

    @Test(
        "key and contents are those of Vitess's tools, and are gone afterwards",
        arguments: EtcdServer.Series.allCases
    )
    func contents(series: EtcdServer.Series) async throws {
        try await withTopology(series) { topology, _ in
            try await lock(topology, limits()) { _ in
                let names = try await topology.list(folder, in: .global)
                #expect(names.count == 1)
                let name = try #require(names.first)
                #expect(Int64(name).map { $0 > 0 } == true)
                let text = String(
                    decoding: try await topology.read("\(folder)/\(name)", in: .global).bytes,
                    as: UTF8.self
                )
                #expect(
                    text == """
                        {
                          "Action": "vtbackup",
                          "HostName": "host1",
                          "UserName": "\\u003cvitess\\u003e",
                          "Time": "2026-03-27T14:05:06Z",
                          "Options": {},
                          "Status": "Running"
                        }
                        """
                )
            }
            let gone = await #expect(throws: TopologyError.self) { _ = try await topology.list(folder, in: .global) }
            #expect(gone?.code == .noNode)
        }
    }

    @Test("those who came before are waited for, whoever they are")
    func queue() async throws {
        try await withTopology { topology, _ in
            // As another program stands in the queue, and at its end.
            let other = Self.record.encoded
            _ = try await topology.create("\(folder)/1", in: .global, other)
            let refused = await #expect(throws: TopologyError.self) {
                try await lock(topology, limits(acquisition: .seconds(45))) { _ in }
            }
            #expect(refused?.code == .lockHeld)
            #expect(refused?.message.contains("<vitess> on host1 (vtbackup) since 2026-03-27T14:05:06Z") == true)
            // Who gave up stands in nobody's way.
            #expect(try await topology.list(folder, in: .global) == ["1"])
            let taken = LockedBox(false)
            let waiting = Task {
                try await lock(topology, limits()) { _ in taken.set(true) }
            }
            while try await topology.list(folder, in: .global).count < 2 { await pauseBetweenLooks() }
            _ = try await topology.create("\(folder)/2", in: .global, other)
            #expect(!taken.get())
            try await topology.delete("\(folder)/1", in: .global, expecting: nil)
            try await waiting.value
            #expect(taken.get())
        }
    }

    @Test("the lease is kept alive while all cores are busy, for longer than two lifetimes")
    func keptAlive() async throws {
        try await withTopology { topology, _ in
            let workers = 4
            try await BlockingThreads.with(count: workers) { threads in
                try await lock(topology, limits(15)) { lock in
                    let end = ContinuousClock.now + .seconds(32)
                    try await forEach(in: Array(0..<workers), atMost: workers) { _ in
                        try await threads.run {
                            var sum: UInt64 = 1
                            while ContinuousClock.now < end {
                                for _ in 0..<100_000 { sum = sum &* 6_364_136_223_846_793_005 &+ 1 }
                            }
                            #expect(sum != 0)
                        }
                    }
                    try await lock.confirm()
                    #expect(try await topology.list(folder, in: .global).count == 1)
                }
            }
        }
    }

    @Test("who has lost the key is cancelled, and told")
    func removed() async throws {
        try await withTopology { topology, _ in
            await expectLost("somebody has removed its key") {
                try await lock(topology, limits()) { _ in
                    let name = try #require(try await topology.list(folder, in: .global).first)
                    try await topology.delete("\(folder)/\(name)", in: .global, expecting: nil)
                    try await Task.sleep(for: .seconds(600))
                }
            }
            await expectLost("somebody has removed its key") {
                try await lock(topology, limits(60)) { lock in
                    let name = try #require(try await topology.list(folder, in: .global).first)
                    try await topology.delete("\(folder)/\(name)", in: .global, expecting: nil)
                    try await lock.confirm()
                }
            }
        }
    }

    @Test("a server that is gone for longer than the lease costs the lock, before anybody else could have it")
    func serverGone() async throws {
        try await withTopology { topology, server in
            let begun = ContinuousClock.now
            await expectLost("did not confirm it in time") {
                try await lock(topology, limits(30)) { _ in
                    kill(server.process, SIGSTOP)
                    try await Task.sleep(for: .seconds(600))
                }
            }
            #expect(ContinuousClock.now - begun < .onlyAHang)
            kill(server.process, SIGCONT)
        }
    }

    @Test("a server that is started again in time costs nothing")
    func restarted() async throws {
        try await withTemporaryFolder { folder in
            let (data, port) = (folder.appending("d"), freePort())
            try await EtcdServer.with(port: port, in: data) { first in
                try await EtcdTopology.with(.init(address: first.address, root: "/vitess/global")) { topology in
                    try await lock(topology, limits(30)) { lock in
                        kill(first.process, SIGKILL)
                        try await EtcdServer.with(port: port, in: data) { _ in
                            try await lock.confirm()
                            // Longer than the lease lives without being kept alive.
                            try await Task.sleep(for: .seconds(35))
                            try await lock.confirm()
                            #expect(try await topology.list(self.folder, in: .global).count == 1)
                        }
                    }
                }
            }
        }
    }

    @Test("a dead holder's lock ends with its lease, and who waits gets it when that one has stopped")
    func deadHolder() async throws {
        try await withTopology { topology, server in
            try await FaultyLine.with(to: server.port) { line in
                let far = EtcdTopology.Configuration(address: "127.0.0.1:\(line.port)", root: "/vitess/global")
                let isWorking = LockedBox(true)
                async let waiting: Bool = {
                    while await (try? topology.list(folder, in: .global)) == nil { await pauseBetweenLooks() }
                    return try await lock(topology, limits()) { _ in isWorking.get() }
                }()
                await expectLost("did not confirm it in time") {
                    try await EtcdTopology.with(far) { cut in
                        try await lock(cut, limits(15)) { _ in
                            defer { isWorking.set(false) }
                            // As if the machine were gone: etcd hears nothing any more.
                            line.setSilent(true)
                            try await Task.sleep(for: .seconds(600))
                        }
                    }
                }
                let wasWorking = try await waiting
                #expect(!wasWorking)
            }
        }
    }

    @Test("a holder who is cancelled keeps the lock until he has cleaned up, and then gives it back")
    func cancelled() async throws {
        try await withTopology { topology, server in
            let (entered, enter) = AsyncStream<Void>.makeStream()
            let keys = LockedBox<Int?>(nil)
            // With a connection that is cancelled too, as in a pass that is told to end.
            let pass = Task {
                try await EtcdTopology.with(.init(address: server.address, root: "/vitess/global")) { own in
                    try await lock(own, limits(15)) { _ in
                        enter.yield()
                        try await withCleanup {
                            try await Task.sleep(for: .seconds(600))
                        } cleanup: {
                            // Longer than the lease lives without being kept alive.
                            try await Task.sleep(for: .seconds(20))
                            keys.set(try? await topology.list(folder, in: .global).count)
                        }
                    }
                }
            }
            for await _ in entered { break }
            pass.cancel()
            await #expect(throws: (any Error).self) { try await pass.value }
            #expect(keys.get() == 1)
            let gone = await #expect(throws: TopologyError.self) { _ = try await topology.list(folder, in: .global) }
            #expect(gone?.code == .noNode)
        }
    }

    @Test("an etcd that does not answer is told as that, in the time that the lock may take")
    func unanswered() async throws {
        try await withTopology { topology, server in
            kill(server.process, SIGSTOP)
            let begun = ContinuousClock.now
            let error = await #expect(throws: TopologyError.self) {
                try await lock(topology, limits(60, acquisition: .seconds(3))) { _ in }
            }
            kill(server.process, SIGCONT)
            #expect(error?.code == .timeout)
            #expect(error?.message.contains("does not answer") == true)
            #expect(ContinuousClock.now - begun < .onlyAHang)
        }
    }
}
