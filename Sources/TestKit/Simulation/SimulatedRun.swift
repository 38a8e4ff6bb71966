import Catalog
import Compression
import Engines
import FoundationEssentials
import Logging
import MySQLControl
import NIOCore
import Positions
import Storage
package import Streams
package import SystemPackage
import Topology
import Workflows

/// One run of the simulated campaign: two good passes, one that is hit by a fault, and one that must set everything right.
///
/// Everything in it follows from its seed.
package struct SimulatedRun: Sendable {
    /// Which part of a pass is hit.
    package enum Stratum: String, Sendable, CaseIterable {
        case restore, catchUp, copy, manifest, prune, shutdown, lease, kill, clock
    }

    /// How a run ended.
    package struct Outcome: Sendable {
        package var seed: UInt64
        package var stratum: Stratum
        /// What was injected, for people.
        package var fault: String
        /// Whether it came.
        package var wasInjected: Bool
        /// Of the pass that was hit.
        package var result: String
        /// Broken promises; empty is good.
        package var violations: [String]

        /// One line of a campaign's log.
        package var line: String {
            let verdict = violations.isEmpty ? "ok" : "VIOLATION \(violations.joined(separator: "; "))"
            return
                "seed=\(seed) stratum=\(stratum.rawValue) injected=\(wasInjected) fault=\(fault) result=\(result) \(verdict)"
        }
    }

    private let seed: UInt64
    private let folder: FilePath
    private let threads: BlockingThreads
    private let isHasty: Bool
    private let shard: SimulatedShard
    private let store: any BackupStorage
    private let memory: InMemoryStorage?
    private let codec: Codec
    private let log: LogLines
    private let passes = LockedBox<UInt32>(0)

    /// Runs one seed.
    /// - Parameters:
    ///   - seed: decides everything.
    ///   - folder: an empty one, for the tablets' files and for the storage of some runs.
    ///   - threads: for the engine.
    ///   - isHasty: plants a mutation: the MANIFEST is written before the last object.
    /// - Returns: what happened.
    /// - Throws: only what is wrong with the simulation itself.
    package static func run(
        seed: UInt64,
        in folder: FilePath,
        threads: BlockingThreads,
        isHasty: Bool = false
    ) async throws -> Outcome {
        try await SimulatedRun(seed: seed, folder: folder, threads: threads, isHasty: isHasty).run()
    }

    private init(seed: UInt64, folder: FilePath, threads: BlockingThreads, isHasty: Bool) throws {
        (self.seed, self.folder, self.threads, self.isHasty) = (seed, folder, threads, isHasty)
        shard = try SimulatedShard()
        log = LogLines()
        let codecs: [Codec] = [.identity, .gzip(level: .isal(1)), .zstd(level: 1), .lz4(level: .fast)]
        codec = codecs[Int(seed / 3 % 4)]
        memory = seed % 2 == 0 ? InMemoryStorage() : nil
        if let memory {
            store = memory
        } else {
            store = FileStorage(root: folder.appending("s"), threads: threads)
        }
    }

    // MARK: The run

    private struct Plan {
        var name: String
        var storage: [Fault] = []
        var server: [ServerFault] = []
        var killAt: Int?
        /// Happens at this step of the pass.
        var interference: (step: Int, body: @Sendable () async throws -> Void)?
        /// Before the pass; what it makes unusable.
        var tampering: (@Sendable () async throws -> [String])?
        var wasInjected: (@Sendable () -> Bool)?
        /// Whether another pass begins at the same time.
        var hasCompany = false
    }

    private func run() async throws -> Outcome {
        var generator = SeededGenerator(seed: seed ^ 0x5eed_0000_0000)
        // The commit is where most is at stake.
        let strata = Stratum.allCases + [.manifest]
        let stratum = strata[Int(seed % UInt64(strata.count))]
        for _ in 0..<2 {
            try await pass(store)
            try shard.writeTransactions(Int64.random(in: 50...300, using: &generator))
            shard.pass(.seconds(9_000))
        }
        let before = try await names()
        let plan = try await plan(stratum, &generator)
        let damaged = Set(try await plan.tampering?() ?? [])
        let faulty = FaultyStorage(store, plan: plan.storage)
        let killable = KillableStorage(
            faulty,
            at: plan.killAt ?? plan.interference?.step,
            plan.interference.map { .run($0.body) } ?? .kill
        )
        let faults = FaultLog(plan.server)
        var (result, violations): (String, [String]) = ("success", [])
        let storage: any BackupStorage = isHasty ? HastyStorage(base: killable) : killable
        do {
            if plan.hasCompany {
                violations += try await twoAtOnce(storage, before: before)
            } else {
                try await pass(storage, faults: faults)
            }
            if Set(try await complete()).subtracting(before).isEmpty {
                violations.append("success without a new backup")
            }
        } catch {
            result = "\(error)"
        }
        violations += try await brokenBackups(but: damaged).map { "after the hit pass: \($0)" }
        violations += try await setRight(damaged: damaged)
        let injected =
            plan.wasInjected?()
            ?? (plan.tampering != nil || killable.hasFired || faults.injected > 0 || hit(plan, faulty))
        return Outcome(
            seed: seed,
            stratum: stratum,
            fault: plan.name,
            wasInjected: injected,
            result: result.split(separator: "\n").first.map { String($0.prefix(160)) } ?? "",
            violations: violations
        )
    }

    /// Two passes begin together: at most one takes a backup, and who takes none says why.
    private func twoAtOnce(_ storage: any BackupStorage, before: [String]) async throws -> [String] {
        let refusals = LockedBox<[String]>([])
        try await forEach(in: [0, 1], atMost: 2) { _ in
            do { try await pass(storage) } catch { refusals.update { $0.append("\(error)") } }
        }
        let taken = Set(try await complete()).subtracting(before).count
        var violations: [String] = []
        if taken + refusals.get().count != 2 {
            violations.append("two at once: \(taken) backups, refusals \(refusals.get())")
        }
        if taken == 0 { violations.append("two at once: none took a backup: \(refusals.get())") }
        return violations
    }

    /// Whether the store was asked often enough for its faults to come.
    private func hit(_ plan: Plan, _ storage: FaultyStorage) -> Bool {
        plan.storage.contains { fault in
            let (turn, operation): (Fault.Turn, FaultyStorage.Operation) =
                switch fault {
                case .list(let turn, _): (turn, .list)
                case .start(let turn, _): (turn, .start)
                case .put(let turn, _): (turn, .put)
                case .commit(let turn, _): (turn, .commit)
                case .open(let turn): (turn, .open)
                case .read(let turn, _): (turn, .open)
                case .remove(let turn, _): (turn, .remove)
                case .abort(let turn, _): (turn, .abort)
                case .note(let turn): (turn, .note)
                case .writeNote(let turn, _): (turn, .writeNote)
                }
            return switch turn {
            case .every: storage.count(operation) > 0
            case .nth(let number): storage.count(operation) >= number
            }
        }
    }

    /// The next pass, half an hour later and without faults, must need no hand work.
    private func setRight(damaged: Set<String>) async throws -> [String] {
        shard.mute(false)
        shard.pass(.seconds(1_800))
        var violations: [String] = []
        do {
            try await pass(store)
        } catch {
            violations.append("the next pass failed: \(error)")
        }
        violations += try await brokenBackups(but: damaged).map { "after the next pass: \($0)" }
        if try await store.note(at: Note.Place(.lease, of: shard.path)) != nil { violations.append("a lease is left") }
        let tablets = try FileTree.list(folder.appending("v")) ?? []
        if !tablets.isEmpty { violations.append("folders are left: \(tablets)") }
        for name in try await names()
        where try await store.note(at: Note.Place(.lease, of: shard.path, backup: name)) != nil {
            if case .complete = try await store.backup(name, of: shard.path).manifest() { continue }
            violations.append("unfinished backup \(name) is left with our mark")
        }
        return violations
    }

    // MARK: What is promised

    private func names() async throws -> [String] { try await store.listBackups(of: shard.path) }

    private func complete() async throws -> [String] {
        var complete: [String] = []
        for name in try await names() {
            if case .complete = try await store.backup(name, of: shard.path).manifest() { complete.append(name) }
        }
        return complete
    }

    /// Every complete backup can be restored, belongs together, is where its MANIFEST says, and has nothing errant.
    private func brokenBackups(but damaged: Set<String>) async throws -> [String] {
        var broken: [String] = []
        for name in try await complete() where !damaged.contains(name) {
            let target = folder.appending("check")
            do {
                let reader = try store.backup(name, of: shard.path)
                guard case .complete(let manifest) = try await reader.manifest() else { continue }
                let directory = TabletDirectory(path: target, uid: 1)
                try directory.prepareForRestore(owner: nil)
                try await restoreEngine.restoreFiles(manifest, from: reader, to: directory, meter: TransferMeter())
                let executed = try SimulatedServer.executed(in: directory)
                if manifest.position != .mysql56(executed) { broken.append("\(name) is not at its position") }
                if manifest.backupName != name { broken.append("\(name) has the MANIFEST of \(manifest.backupName)") }
            } catch {
                broken.append("\(name) cannot be restored: \(error)")
            }
            try FileTree.remove(target)
        }
        return broken
    }

    // MARK: A pass

    private var dataPlane: DataPlane {
        DataPlane(
            threads: threads,
            codec: codec,
            blockSize: 8_192,
            blocksInFlight: nil,
            concurrency: 3,
            flightBudget: 4 << 20
        )
    }

    private var restoreEngine: BuiltinRestore {
        BuiltinRestore(
            dataPlane: dataPlane,
            concurrency: 3,
            owner: nil,
            durable: false,
            decompressors: StoredFormat.ExternalDecompressors(),
            logger: log.logger
        )
    }

    private func pass(_ storage: any BackupStorage, faults: FaultLog = FaultLog()) async throws {
        let uid = passes.update { number -> UInt32 in
            number += 1
            return number
        }
        let alias = TabletAlias(cell: "vtbackup", uid: uid)
        var settings = BackupPass.Settings(shard: shard.path, alias: alias)
        settings.freshness.allowFirstBackup = true
        settings.retention.minimumTime = 7_200
        settings.retention.minimumCount = 2
        settings.compressionEngineName = codecName
        settings.compress = codec != .identity
        log.logger.info("pass \(uid)")
        let directory = TabletDirectory(dataRoot: folder.appending("v"), uid: uid)
        let holder = LeaseHolder(
            alias: alias.description,
            host: "simulated",
            process: 1,
            boot: "",
            processNamespace: "",
            processStart: ""
        )
        let pass = BackupPass(
            settings: settings,
            storage: storage,
            lease: ShardLease(
                storage: storage,
                shard: shard.path,
                holder: holder,
                clock: shard.standingClock,
                logger: log.logger
            ),
            topology: ShardTopology(store: shard.topology),
            primary: SimulatedPrimary(shard: shard),
            source: ReplicationSource(host: "", port: 0, user: "vt_repl", password: ""),
            makeServer: { SimulatedServer(directory: directory, shard: shard, faults: faults) },
            backupEngine: BuiltinBackup(
                dataPlane: dataPlane,
                concurrency: 3,
                progressInterval: .seconds(5),
                checksPages: false,
                logger: log.logger
            ),
            restoreEngine: restoreEngine,
            progress: PassProgress(),
            clock: shard.clock,
            logger: log.logger
        )
        try await pass.run()
    }

    private var codecName: String {
        switch codec {
        case .zstd: "zstd"
        case .lz4: "lz4"
        default: "pargzip"
        }
    }
}

// MARK: - Faults

extension SimulatedRun {
    private func plan(_ stratum: Stratum, _ generator: inout SeededGenerator) async throws -> Plan {
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
            switch Int.random(in: 0...10, using: &generator) {
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
        let at = Int.random(in: 1...(try await dryRun()).steps, using: &generator)
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

    /// How many steps a pass takes, found out in a world of the same seed.
    private func dryRun() async throws -> KillableStorage {
        let place = folder.appending("dry")
        try FileTree.createDirectory(place, parents: true)
        let twin = try SimulatedRun(seed: seed & ~1, folder: place, threads: threads, isHasty: isHasty)
        for _ in 0..<2 {
            try await twin.pass(twin.store)
            try twin.shard.writeTransactions(60)
            twin.shard.pass(.seconds(9_000))
        }
        let counted = KillableStorage(twin.store)
        try await twin.pass(isHasty ? HastyStorage(base: counted) : counted)
        try FileTree.remove(place)
        return counted
    }
}

/// What the simulation itself relies on.
private func existing<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw MysqldError(.configuration, "the simulation has no backups") }
    return value
}
