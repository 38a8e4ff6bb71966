import Concurrency
import FoundationEssentials
import Logging
import Storage
import TestKit
import Testing
import Topology
import Vocabulary

@testable import Workflows

/// The lock in the topology and the lease in storage, held together.
@Suite("the lock of a shard's passes in the topology", .timeLimit(.minutes(5)))
struct ClusterLockTests {
    private let shard: ShardPath
    private let storage = InMemoryStorage()
    private let topology = InMemoryTopology()

    init() throws {
        shard = try ShardPath("commerce/0")
    }

    private func lease(_ alias: String, waiting: Duration = .milliseconds(200)) -> ShardLease {
        var limits = LockLimits()
        limits.acquisition = waiting
        return ShardLease(
            storage: storage,
            shard: shard,
            holder: LeaseHolder(
                alias: alias,
                host: alias,
                process: 1,
                boot: alias,
                processNamespace: alias,
                processStart: "1"
            ),
            clusterLock: ClusterLock(
                of: shard,
                in: topology,
                host: alias,
                user: "vitess",
                limits: limits,
                now: Date(timeIntervalSince1970: 1_800_000_000)
            ),
            clock: .system,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    @Test("both are held while the work runs, and given back")
    func together() async throws {
        try await lease("ours").hold { held in
            try await held.confirm()
            #expect(try await storage.note(at: Note.Place(.lease, of: shard)) != nil)
        }
        #expect(try await storage.note(at: Note.Place(.lease, of: shard)) == nil)
        try await lease("ours").hold { _ in }
    }

    @Test("who has it is named, and no lease is taken then")
    func refused() async throws {
        let ours = lease("ours")
        try await lease("theirs").hold { _ in
            let error = await #expect(throws: WorkflowError.self) { try await ours.hold { _ in } }
            #expect(error?.code == .refused)
            #expect(error?.description.contains("vitess on theirs (vtbackup) since 2027-01-15T08:00:00Z") == true)
        }
    }

    @Test("a lock that was lost stops the commit, though the lease is still ours")
    func lost() async throws {
        let error = await #expect(throws: WorkflowError.self) {
            try await lease("ours").hold { held in
                topology.breakLock("vtbackup-commerce-0")
                try await held.confirm()
            }
        }
        #expect(error?.code == .lease)
        #expect(error?.description.contains("nothing is committed any more") == true)
        #expect(try await storage.note(at: Note.Place(.lease, of: shard)) == nil)
    }

    @Test("errors of the work itself are not taken for errors of the lock")
    func otherErrors() async throws {
        let theirs = TopologyError(.timeout, "deadline exceeded: somewhere else")
        let error = await #expect(throws: TopologyError.self) { try await lease("ours").hold { _ in throw theirs } }
        #expect(error == theirs)
    }
}
