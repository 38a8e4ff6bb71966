package import Concurrency
import FoundationEssentials
import MySQLControl
import Positions
import Synchronization
import Topology
package import Vocabulary
import Workflows

/// A shard without servers: its topology, what its primaries have executed, and a clock that runs as fast as it is waited for.
package final class SimulatedShard: Sendable {
    /// A primary, dead or alive.
    struct Primary: Sendable {
        var executed: GTIDSet
        var uuid: String
        var sequence: Int64
        var isAlive = true
        /// Nobody gets an answer for its position.
        var isMute = false
        var purged = GTIDSet()
    }

    private struct State {
        var primaries: [UInt32: Primary] = [:]
        var current: UInt32 = 101
        var elapsed = Duration.zero
        /// What the wall clock is wrong by.
        var shift: Double = 0
    }

    package let path: ShardPath
    let topology = InMemoryTopology()
    private let state = Mutex(State())

    /// A shard whose primary has executed some transactions.
    package init() throws {
        path = try ShardPath(keyspace: "commerce", shard: "0")
        state.withLock {
            $0.primaries[101] = Primary(executed: GTIDSet(), uuid: Self.uuid(101), sequence: 0)
        }
        try writeTransactions(100)
        publish(101)
    }

    private static func uuid(_ uid: UInt32) -> String { "00000000-0000-0000-0000-000000000\(uid)" }

    // MARK: Primaries

    func primary(_ uid: UInt32) -> Primary? { state.withLock { $0.primaries[uid] } }

    func primary(port: Int) -> Primary? { state.withLock { $0.primaries[UInt32(port - 3000)] } }

    /// The present primary.
    var current: Primary {
        state.withLock {
            $0.primaries[$0.current] ?? Primary(executed: GTIDSet(), uuid: "", sequence: 0, isAlive: false)
        }
    }

    /// Lets the present primary execute transactions.
    package func writeTransactions(_ count: Int64) throws {
        try state.withLock { state in
            guard var primary = state.primaries[state.current] else { return }
            let first = primary.sequence + 1
            primary.sequence += count
            primary.executed = primary.executed.union(try GTIDSet("\(primary.uuid):\(first)-\(primary.sequence)"))
            state.primaries[state.current] = primary
        }
    }

    /// Kills the primary and lets another one take over, which has lost the last `lost` transactions.
    func failOver(losing lost: Int64) throws {
        let next = try state.withLock { state -> UInt32 in
            guard var old = state.primaries[state.current] else { return state.current }
            let next = state.current + 1
            var executed = old.executed
            if lost > 0 {
                executed = executed.subtracting(
                    try GTIDSet("\(old.uuid):\(max(1, old.sequence - lost + 1))-\(old.sequence)")
                )
            }
            old.isAlive = false
            state.primaries[state.current] = old
            state.primaries[next] = Primary(executed: executed, uuid: Self.uuid(next), sequence: 0)
            state.current = next
            return next
        }
        try writeTransactions(3)
        publish(next)
    }

    /// Lets nobody get an answer from the primary, or everybody again.
    func mute(_ isMute: Bool) {
        state.withLock { $0.primaries[$0.current]?.isMute = isMute }
    }

    /// Lets the present primary forget the binary logs of all it has executed.
    func purge() {
        state.withLock { state in
            guard let executed = state.primaries[state.current]?.executed else { return }
            state.primaries[state.current]?.purged = executed
        }
    }

    private func publish(_ uid: UInt32) {
        let alias = "zone1-\(String(repeating: "0", count: 10 - String(uid).count))\(uid)"
        topology.set(
            "tablets/\(alias)/Tablet",
            in: .cell("zone1"),
            to:
                #"{"alias": {"cell": "zone1", "uid": \#(uid)}, "keyspace": "commerce", "shard": "0", "type": "PRIMARY", "mysql_hostname": "db", "mysql_port": \#(3000 + uid)}"#
        )
        topology.set(
            "keyspaces/commerce/shards/0/Shard",
            in: .global,
            to: #"{"primary_alias": {"cell": "zone1", "uid": \#(uid)}, "is_primary_serving": true}"#
        )
    }

    // MARK: Time

    private static let start = Date(timeIntervalSince1970: 1_790_000_000)

    /// The shard's clock: waiting takes no time.
    package var clock: Clocks {
        Clocks(
            now: { self.state.withLock { Self.start + Double($0.shift) + $0.elapsed / .seconds(1) } },
            elapsed: { self.state.withLock { $0.elapsed } },
            sleep: { duration in
                try Task.checkCancellation()
                self.pass(duration)
                await Task.yield()
            }
        )
    }

    /// The same for whoever waits beside the pass: it never gets its turn.
    var standingClock: Clocks {
        var clock = clock
        clock.sleep = { _ in try await Task.sleep(for: .seconds(86_400)) }
        return clock
    }

    /// Lets time pass.
    package func pass(_ duration: Duration) { state.withLock { $0.elapsed += duration } }

    /// Sets the wall clock forth or back by so many seconds.
    package func shiftClock(by seconds: Double) { state.withLock { $0.shift += seconds } }
}

/// Answers for the primaries of a simulated shard.
struct SimulatedPrimary: PrimaryTablet {
    let shard: SimulatedShard

    func position(of tablet: TabletRecord) async throws -> Position {
        guard let primary = shard.primary(tablet.alias.uid), primary.isAlive, !primary.isMute else {
            throw PrimaryGone(description: "connection to \(tablet.alias) refused")
        }
        return .mysql56(primary.executed)
    }
}

extension SimulatedPrimary {
    func purgedPosition(of tablet: TabletRecord) async throws -> Position? {
        shard.primary(tablet.alias.uid).map { .mysql56($0.purged) }
    }
}

struct PrimaryGone: Error, CustomStringConvertible {
    let description: String
}
