import Catalog
import Compression
package import Concurrency
import Engines
import FoundationEssentials
import Host
import Logging
import MySQLControl
import NIOCore
import Positions
import Storage
package import SystemPackage
import Topology
import Vocabulary
import Workflows

/// One run of the simulated campaign: two good passes, one that is hit by a fault, and one that must set everything right.
///
/// Everything in it follows from its seed.
package struct SimulatedRun: Sendable {
    /// Which part of a pass is hit.
    package enum Stratum: String, Sendable, CaseIterable {
        case restore, catchUp, copy, manifest, prune, shutdown, lease, kill, clock
        /// Any part, by a system call that fails.
        case calls
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

    let seed: UInt64
    let folder: FilePath
    let threads: BlockingThreads
    let isHasty: Bool
    let shard: SimulatedShard
    let store: any BackupStorage
    let memory: InMemoryStorage?
    private let codec: Codec
    let log: LogLines
    private let passes = LockedBox<UInt32>(0)

    /// Runs one seed.
    /// - Parameters:
    ///   - seed: decides everything.
    ///   - folder: an empty one, for the tablets' files and for the storage of some runs.
    ///   - threads: for the engine.
    ///   - isHasty: plants a mutation: the MANIFEST is written before one of the objects.
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

    init(seed: UInt64, folder: FilePath, threads: BlockingThreads, isHasty: Bool) throws {
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

    struct Plan {
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
        /// System calls that fail during the pass.
        var calls: CallFault?
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
                try await pass(storage, faults: faults, calls: plan.calls)
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
            ?? (plan.tampering != nil || (plan.calls?.hits.get() ?? 0) > 0 || killable.hasFired || faults.injected > 0
                || hit(plan, faulty))
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

    func names() async throws -> [String] { try await store.listBackups(of: shard.path) }

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
                try await restoreEngine.restore(manifest, from: reader, to: directory, meter: TransferMeter())
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
            codec: RecordedCodec(codec),
            blockSize: 8_192,
            blocksInFlight: nil,
            concurrency: 3,
            flightBudget: 4 << 20
        )
    }

    private var restoreEngine: BuiltinRestore {
        BuiltinRestore(
            dataPlane: dataPlane,
            owner: nil,
            durable: false,
            decompressors: StoredFormat.ExternalDecompressors(),
            logger: log.logger
        )
    }

    private func pass(_ storage: any BackupStorage, faults: FaultLog, calls: CallFault?) async throws {
        guard let calls else { return try await pass(storage, faults: faults) }
        try await SystemFaults.with(below: calls.root) { system in
            system.add(calls.call, nth: calls.nth, calls.failure)
            defer { calls.hits.set(system.hits) }
            try await pass(storage, faults: faults)
        }
    }

    func pass(_ storage: any BackupStorage, faults: FaultLog = FaultLog()) async throws {
        let uid = passes.update { number -> UInt32 in
            number += 1
            return number
        }
        let alias = TabletAlias(cell: "vtbackup", uid: uid)
        var settings = BackupPass.Settings(shard: shard.path, alias: alias)
        settings.freshness.allowFirstBackup = true
        settings.retention.minimumTime = 7_200
        settings.retention.minimumCount = 2
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
        let context = PassContext(
            settings: settings,
            backups: ShardBackups(shard: shard.path, storage: storage),
            lease: ShardLease(
                storage: storage,
                shard: shard.path,
                holder: holder,
                clock: shard.clock,
                renewalClock: shard.standingClock,
                logger: log.logger
            ),
            topology: ShardTopology(store: shard.topology),
            primary: SimulatedPrimary(shard: shard),
            source: ReplicationSource(host: "", port: 0, user: "vt_repl", password: ""),
            makeServer: { SimulatedServer(directory: directory, shard: shard, faults: faults) },
            backupEngine: BuiltinBackup(
                dataPlane: dataPlane,
                progressInterval: .seconds(5),
                checksPages: false,
                logger: log.logger
            ),
            restoreEngines: RestoreEngines([restoreEngine]),
            threads: threads,
            progress: PassProgress(),
            clock: shard.clock,
            logger: log.logger
        )
        try await BackupPass(context).run()
    }
}
