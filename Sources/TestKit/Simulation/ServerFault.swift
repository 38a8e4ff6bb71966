import Synchronization

/// What goes wrong with a simulated mysqld.
package enum ServerFault: Hashable, Sendable {
    case doesNotStart
    /// Dies at this reading of its status.
    case diesWhileCatchingUp(Int)
    case diesWhileStopping
    /// So many readings of the status fail.
    case statusFails(Int)
    /// The receiver has lost the connection for so many readings; the thread stays, or stops.
    case connectionLost(Int, stops: Bool)
    /// The applier is stopped so many times by somebody.
    case applierStopped(Int)
    case applierFails(errno: Int)
    case receiverFails(errno: Int)
    /// Nothing moves any more after so many readings.
    case stalls(after: Int)
    /// At this reading the primary dies; another one takes over that lacks so many transactions.
    case failover(Int, losing: Int64)
    /// At this reading, the primary dies and comes back after so many more.
    case cannotStartReplication(Int)
    /// Stopping replication takes so many readings of the status, in which the applier works, or does nothing.
    case stopTakes(Int, isBusy: Bool)
    /// The applier fails on the server that replicates first, and not on the next one.
    case baseCannotCatchUp(errno: Int)
    /// The applier has temporary tables open whenever it is asked for them so many times.
    case temporaryTables(Int)
}

/// Which faults are still to come, and which have come.
package final class FaultLog: Sendable {
    private struct State {
        var planned: [ServerFault]
        var injected = 0
        var readings = 0
        var remaining: [ServerFault: Int] = [:]
    }
    private let state: Mutex<State>

    /// Plans faults.
    package init(_ planned: [ServerFault] = []) {
        state = Mutex(State(planned: planned))
    }

    /// Faults that have come so far.
    package var injected: Int { state.withLock { $0.injected } }

    var planned: [ServerFault] { state.withLock { $0.planned } }

    /// Whether this fault comes now; it comes once.
    func takes(_ fault: ServerFault) -> Bool {
        state.withLock { state in
            guard let index = state.planned.firstIndex(of: fault) else { return false }
            state.planned.remove(at: index)
            state.injected += 1
            return true
        }
    }

    /// Whether a fault that comes `times` times comes now.
    func takes(_ fault: ServerFault, times: Int) -> Bool {
        state.withLock { state in
            guard state.planned.contains(fault), state.remaining[fault, default: times] > 0 else { return false }
            if state.remaining[fault] == nil { state.injected += 1 }
            state.remaining[fault, default: times] -= 1
            return true
        }
    }

    /// Counts a fault that comes again and again.
    func note(_ fault: ServerFault) {
        state.withLock { state in
            if state.remaining[fault] == nil { state.injected += 1 }
            state.remaining[fault] = 0
        }
    }

    func nextReading() -> Int {
        state.withLock { state in
            state.readings += 1
            return state.readings
        }
    }
}
