import Concurrency
import FoundationEssentials
import Host
import MySQLControl
import NIOCore
import Storage
import SystemPackage
import Workflows

/// Which fault a seed chooses in each part of a pass.
extension SimulatedRun {
    /// What a run of this stratum injects.
    func plan(_ stratum: Stratum, _ generator: inout SeededGenerator) async throws -> Plan {
        switch stratum {
        case .restore: try await restorePlan(&generator)
        case .catchUp: catchUpPlan(&generator)
        case .copy: copyPlan(&generator)
        case .manifest: try await manifestPlan(&generator)
        case .prune: prunePlan(&generator)
        case .shutdown: Plan(name: "mysqld dies while stopping", server: [.diesWhileStopping])
        case .lease: try await leasePlan(&generator)
        case .kill: try await killPlan(&generator)
        case .clock: clockPlan(&generator)
        case .calls: try await callPlan(&generator)
        }
    }

    /// Two MANIFESTs are opened for the listing, one again for the restore; then come the files.
    private func restorePlan(_ generator: inout SeededGenerator) async throws -> Plan {
        let file = Int.random(in: 4...10, using: &generator)
        let bytes = Int.random(in: 0...2_000, using: &generator)
        switch Int.random(in: 0...9, using: &generator) {
        case 0: return Plan(name: "open \(file) fails", storage: [.open(.nth(file))])
        case 1: return Plan(name: "all objects fail", storage: (3...40).map { .open(.nth($0)) })
        case 2: return Plan(name: "read \(file) fails", storage: [.read(.nth(file), .failsAfter(bytes: bytes))])
        case 3: return Plan(name: "read \(file) is cut", storage: [.read(.nth(file), .truncated(bytes: bytes))])
        case 4: return Plan(name: "read \(file) has a wrong bit", storage: [.read(.nth(file), .flipped(at: bytes))])
        case 5: return Plan(name: "mysqld does not start", server: [.doesNotStart])
        case 6:
            return Plan(
                name: "a MANIFEST cannot be read",
                storage: [.open(.nth(Int.random(in: 1...3, using: &generator)))]
            )
        default: return try await tamperingPlan(&generator)
        }
    }

    /// What lies in the store of the newest backup is no longer what was stored.
    private func tamperingPlan(_ generator: inout SeededGenerator) async throws -> Plan {
        let newest = try existing(await names().last)
        let older = try existing(await names().first)
        var index = Int.random(in: 0...5, using: &generator)
        // The object of an empty file may be empty too.
        if try await read(.file(index), newest).isEmpty { index = 0 }
        let (chosen, object) = (index, ObjectName.file(index))
        let (kind, place) = (Int.random(in: 0...4, using: &generator), Int.random(in: 0...10_000, using: &generator))
        let what = ["corrupted", "truncated", "missing", "replayed", "swapped"][kind]
        return Plan(
            name: "object \(index) of the newest backup is \(what)",
            tampering: {
                var bytes = try await read(object, newest)
                switch kind {
                case 0: bytes[place % bytes.count] ^= 0x10
                case 1: bytes = Array(bytes.dropLast(1 + place % bytes.count))
                case 2: bytes = []
                case 3: bytes = try await read(object, older)
                default: bytes = try await read(.file((chosen + 1) % 6), newest)
                }
                try await replace(object, of: newest, with: kind == 2 ? nil : bytes)
                return [newest]
            }
        )
    }

    private func read(_ object: ObjectName, _ name: String) async throws -> [UInt8] {
        try await store.backup(name, of: shard.path).read(object, limit: 1 << 24)
    }

    private func replace(_ object: ObjectName, of name: String, with bytes: [UInt8]?) async throws {
        if let memory {
            return memory.tamper(object, of: name, in: shard.path, with: bytes.map { ByteBuffer(bytes: $0) })
        }
        let path = folder.appending("s").appending("commerce").appending("0").appending(name).appending(
            object.description
        )
        if let bytes { try FileTree.write(bytes, to: path) } else { try FileTree.remove(path) }
    }

    private func catchUpPlan(_ generator: inout SeededGenerator) -> Plan {
        let few = Int.random(in: 1...4, using: &generator)
        let fault: ServerFault =
            switch Int.random(in: 0...15, using: &generator) {
            case 0: .diesWhileCatchingUp(few % 2 + 1)
            case 1: .statusFails(few * 40)
            case 2: .connectionLost(few * 30, stops: false)
            case 3: .connectionLost(few * 30, stops: true)
            case 4: .applierStopped(few)
            case 5: .applierStopped(100)
            case 6: .applierFails(errno: few % 2 == 0 ? 1062 : 1032)
            case 7: .receiverFails(errno: [1236, 13_114, 1045][few % 3])
            case 8: .stalls(after: 0)
            case 9: .cannotStartReplication(few)
            case 10: .stopTakes(few * 100, isBusy: true)
            case 11: .stopTakes(2_000, isBusy: false)
            case 13: .temporaryTables(few * 20)
            case 14: .temporaryTables(10_000)
            case 12: .baseCannotCatchUp(errno: few % 2 == 0 ? 1146 : 1032)
            default: .failover(1, losing: Int64(few % 3) * 10)
            }
        if Int.random(in: 0...11, using: &generator) == 0 {
            shard.mute(true)
            return Plan(name: "the primary does not answer", wasInjected: { true })
        }
        return Plan(name: "\(fault)", server: [fault])
    }

    private func copyPlan(_ generator: inout SeededGenerator) -> Plan {
        let number = Int.random(in: 1...7, using: &generator)
        let bytes = Int.random(in: 0...3_000, using: &generator)
        let fault: Fault.PutFault =
            switch Int.random(in: 0...6, using: &generator) {
            case 0: .failsBefore
            case 1: .failsAfter(bytes: bytes)
            case 2: .failsStored
            case 3: .cutShort(bytes: bytes)
            case 4: .confirms(bytes: Int64(bytes))
            case 5: .skipsBody(confirms: Int64(bytes))
            default: .swallowsErrors
            }
        let always = Int.random(in: 0...3, using: &generator) == 0
        var plan = Plan(
            name: "put \(always ? "always" : String(number)): \(fault)",
            storage: [.put(always ? .every : .nth(number), fault)]
        )
        if case .swallowsErrors = fault { plan.storage.append(.put(.nth(number), fault)) }
        if Int.random(in: 0...5, using: &generator) == 0 {
            plan.name = "start of the backup fails"
            plan.storage = [.start(.nth(1), number % 2 == 0 ? .before : .after)]
        }
        if always, number % 2 == 0 { plan.storage.append(.abort(.every, number % 4 == 0 ? .before : .after)) }
        return plan
    }

    private func manifestPlan(_ generator: inout SeededGenerator) async throws -> Plan {
        if Bool.random(using: &generator) {
            let step = (try await dryRun()).commitStep ?? 1
            let at = step + Int.random(in: -1...2, using: &generator)
            return Plan(name: "killed at step \(at), the commit is \(step)", killAt: at)
        }
        let fault: Fault.StepFault = Bool.random(using: &generator) ? .before : .after
        var plan = Plan(name: "commit fails \(fault)", storage: [.commit(.nth(1), fault)])
        if Bool.random(using: &generator) {
            plan.name += ", and so does its removal"
            plan.storage.append(.abort(.every, .before))
        }
        return plan
    }

    private func prunePlan(_ generator: inout SeededGenerator) -> Plan {
        let fault: Fault.StepFault = Bool.random(using: &generator) ? .before : .after
        return Bool.random(using: &generator)
            ? Plan(name: "removal fails \(fault)", storage: [.remove(.nth(1), fault)])
            : Plan(name: "listing fails", storage: [.list(.nth(Int.random(in: 1...3, using: &generator)), .fails)])
    }

    private func killPlan(_ generator: inout SeededGenerator) async throws -> Plan {
        // Files are worked on side by side, so that two passes differ by some steps.
        let steps = max(1, (try await dryRun()).steps * 9 / 10)
        let at = Int.random(in: 1...steps, using: &generator)
        return Plan(name: "killed at step \(at)", killAt: at)
    }

    private func leasePlan(_ generator: inout SeededGenerator) async throws -> Plan {
        let place = Note.Place(.lease, of: shard.path)
        let foreign = try otherLease()
        switch Int.random(in: 0...4, using: &generator) {
        case 4: return Plan(name: "two passes at once", wasInjected: { true }, hasCompany: true)
        case 0:
            let store = store
            return Plan(
                name: "another pass holds the lease",
                tampering: {
                    _ = try await store.writeNote(foreign, at: place, expecting: .anything)
                    return []
                }
            )
        case 1:
            let step = Int.random(in: 6...((try await dryRun()).commitStep ?? 6), using: &generator)
            let store = store
            return Plan(
                name: "another pass takes the lease at step \(step)",
                interference: (
                    step, { _ = try await store.writeNote(foreign, at: place, expecting: .anything) }
                )
            )
        case 2: return Plan(name: "the lease cannot be read", storage: [.note(.nth(1))])
        default:
            let fault: Fault.StepFault = Bool.random(using: &generator) ? .before : .after
            let number = Int.random(in: 1...4, using: &generator)
            return Plan(name: "write \(number) of a lease fails \(fault)", storage: [.writeNote(.nth(number), fault)])
        }
    }

    private func otherLease() throws -> [UInt8] {
        let now = shard.clock.now().formatted(.iso8601)
        return Array(
            """
            {"Format": 1, "Lease": {"Holder": "vtbackup-4711", "Host": "elsewhere", "Process": 1, "Boot": "b", \
            "ProcessNamespace": "n", "ProcessStart": "1"}, "Since": "\(now)", "Renewed": "\(now)", "LifetimeSeconds": 120}
            """.utf8
        )
    }

    /// The wall clock goes back, or far ahead, in the middle of the pass.
    private func clockPlan(_ generator: inout SeededGenerator) -> Plan {
        let seconds = [-86_400.0, -600, 86_400][Int.random(in: 0...2, using: &generator)]
        let step = Int.random(in: 2...30, using: &generator)
        let shard = shard
        return Plan(
            name: "the clock jumps by \(Int(seconds)) s at step \(step)",
            interference: (step, { shard.shiftClock(by: seconds) })
        )
    }

    /// One system call fails, on a file of the storage or of the tablet.
    private func callPlan(_ generator: inout SeededGenerator) async throws -> Plan {
        let place = memory == nil && Bool.random(using: &generator) ? "s" : "v"
        let counts = try await withTwin(seed) { twin in
            try await SystemFaults.with(below: twin.folder.appending(place)) { faults in
                try await twin.pass(twin.store)
                return SystemFaults.Call.allCases.map { ($0, faults.count($0)) }.filter { $0.1 > 0 }
            }
        }
        let (call, count) = try existing(counts.randomElement(using: &generator))
        var failures: [SystemFaults.Failure] = [.error(.ioError)]
        switch call {
        case .read: failures += [.short, .error(.interrupted)]
        case .write: failures += [.short, .error(.interrupted), .error(.noSpace)]
        case .open, .sync, .close: failures += [.error(.interrupted)]
        case .mkdir: failures += [.error(.noSpace)]
        case .rename, .unlink, .stat, .list, .link, .place, .lock, .own: break
        }
        let failure = try existing(failures.randomElement(using: &generator))
        // Not all the way to the end: files are worked on side by side, so that two passes differ by some calls.
        let nth = Int.random(in: 1...max(1, count * 8 / 10), using: &generator)
        return Plan(
            name: "\(call) \(nth) of a file of the \(place == "s" ? "storage" : "tablet") fails with \(failure)",
            calls: CallFault(root: folder.appending(place), call: call, nth: nth, failure: failure)
        )
    }

    /// How many steps a pass takes, found out in a world of the same seed.
    private func dryRun() async throws -> KillableStorage {
        try await withTwin(seed & ~1) { twin in
            let counted = KillableStorage(twin.store)
            try await twin.pass(isHasty ? HastyStorage(base: counted) : counted)
            return counted
        }
    }

    /// Another world, in which two passes went well.
    private func withTwin<Result>(_ seed: UInt64, _ body: (SimulatedRun) async throws -> Result) async throws -> Result
    {
        let place = folder.appending("dry")
        try FileTree.createDirectory(place, parents: true)
        let twin = try SimulatedRun(seed: seed, folder: place, threads: threads, isHasty: isHasty)
        for _ in 0..<2 {
            try await twin.pass(twin.store)
            try twin.shard.writeTransactions(60)
            twin.shard.pass(.seconds(9_000))
        }
        let result = try await body(twin)
        try FileTree.remove(place)
        return result
    }
}

/// A system call that fails during a pass.
struct CallFault: Sendable {
    var root: FilePath
    var call: SystemFaults.Call
    var nth: Int
    var failure: SystemFaults.Failure
    /// Whether it came.
    let hits = LockedBox(0)
}

/// What the simulation itself relies on.
private func existing<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw MysqldError(.configuration, "the simulation has no backups") }
    return value
}
