import Catalog
import Host
import NIOCore
import Storage
import SystemPackage
import TestKit
import Testing
import Vocabulary

/// Each system call of file storage fails in turn: what a rule of POSIX allows is not noticed, everything else is an error
/// that leaves the old state or the new one.
@Suite("file storage under failing system calls", .timeLimit(.minutes(60)))
struct SystemFaultTests {
    /// The first is long enough for the disk to be waited for while it is written.
    private static let content = [9 << 20, 100_000, 5].enumerated().map {
        ByteBuffer(repeating: UInt8($0.offset + 1), count: $0.element)
    }
    private let shard: ShardPath

    init() throws {
        shard = try ShardPath("ks/0")
    }

    @Test("belong to this process: a child forked while they are looked for waits for nobody")
    func children() async throws {
        try await withTemporaryFolder { folder in
            await SystemFaults.with(below: folder) { #expect($0.sparesChildren) }
        }
    }

    /// One step of a backup's life; each is run with every fault, after the ones before it went well.
    private struct Step: Sendable, CustomTestStringConvertible {
        var name: String
        var body: @Sendable (FileStorage, ShardPath) async throws -> Void
        var testDescription: String { name }
    }

    private static let put = Step(name: "start, put, commit") { storage, shard in
        let writer = try await storage.startBackup("b", of: shard)
        for (index, bytes) in content.enumerated() {
            let stored = try await writer.put(.file(index), sizeHint: nil) { try await $0.write(bytes) }
            try #require(stored == bytes.readableBytes)
        }
        var manifest = Manifest()
        manifest.backupName = "b"
        try await writer.commit(manifest: ByteBuffer(bytes: manifest.encoded()))
    }

    private static let read = Step(name: "list, read") { storage, shard in
        try #require(try await storage.listBackups(of: shard) == ["b"])
        let reader = try storage.backup("b", of: shard)
        guard case .complete(let manifest) = try await reader.manifest() else {
            throw StorageError(.notFound, "incomplete")
        }
        #expect(manifest.backupName == "b")
        for (index, bytes) in content.enumerated() {
            let read = try await reader.read(.file(index), limit: 10 << 20)
            #expect(read == Array(bytes.readableBytesView), "object \(index)")
        }
    }

    private static let notes = Step(name: "take, renew and give back a note") { storage, shard in
        let place = Note.Place(.lease, of: shard)
        let first = try await storage.writeNote([1], at: place, expecting: .nothing)
        let second = try await storage.writeNote([2], at: place, expecting: .version(first))
        #expect(try await storage.note(at: place)?.bytes == [2])
        try await storage.removeNote(at: place, expecting: .version(second))
    }

    private static let remove = Step(name: "remove") { storage, shard in
        try await storage.removeBackup("b", of: shard)
        #expect(try await storage.listBackups(of: shard).isEmpty)
    }

    private static let failures: [SystemFaults.Failure] = [.short, .error(.interrupted), .error(.ioError)]

    @Test("each call of each step", arguments: [put, read, notes, remove])
    private func everyCall(_ step: Step) async throws {
        let calls = try await counts(step)
        var injected = 0
        for (call, count) in calls {
            for nth in stride(from: 1, through: count, by: 1) {
                for failure in Self.failures where applies(failure, to: call) {
                    injected += try await run(step, call, nth, failure) ? 1 : 0
                }
            }
        }
        #expect(injected >= calls.map(\.1).reduce(0, +))
    }

    private func applies(_ failure: SystemFaults.Failure, to call: SystemFaults.Call) -> Bool {
        switch failure {
        case .short: call == .read || call == .write
        case .error(.interrupted): [.open, .read, .write, .close, .sync].contains(call)
        case .error: true
        }
    }

    /// - Returns: how often each call is made when nothing fails.
    private func counts(_ step: Step) async throws -> [(SystemFaults.Call, Int)] {
        try await withFileStorage { storage, root in
            try await prepare(step, storage)
            return try await SystemFaults.with(below: root) { faults in
                try await step.body(storage, shard)
                return SystemFaults.Call.allCases.map { ($0, faults.count($0)) }
            }
        }
    }

    private func prepare(_ step: Step, _ storage: FileStorage) async throws {
        if step.name != Self.put.name { try await Self.put.body(storage, shard) }
    }

    private func run(
        _ step: Step,
        _ call: SystemFaults.Call,
        _ nth: Int,
        _ failure: SystemFaults.Failure
    ) async throws -> Bool {
        try await withFileStorage { storage, root in
            try await prepare(step, storage)
            let what = "\(step.name): \(call) \(nth) fails with \(failure)"
            let hit = await SystemFaults.with(below: root) { faults in
                faults.add(call, nth: nth, failure)
                do {
                    try await step.body(storage, shard)
                    // What is only told, and what could not be cleaned up, may go unnoticed.
                } catch {
                    #expect(!failure.isHarmless, "\(what): \(error)")
                }
                return faults.hits > 0
            }
            // Whatever was said: what is complete can be read, and what was complete still is, or is gone as a whole.
            for name in try await storage.listBackups(of: shard) {
                if case .complete = try await storage.backup(name, of: shard).manifest() {
                    try await Self.read.body(storage, shard)
                } else {
                    #expect(step.name == Self.put.name || step.name == Self.remove.name, "\(what)")
                }
            }
            // And nothing keeps the next one from its work.
            try await storage.removeBackup("b", of: shard)
            try await storage.removeNote(at: Note.Place(.lease, of: shard), expecting: .anything)
            let next = try await storage.startBackup("b", of: shard)
            _ = try await next.put(.file(0), sizeHint: nil) { try await $0.write(ByteBuffer(string: "next")) }
            try await next.commit(manifest: ByteBuffer(bytes: Manifest().encoded()))
            try await Self.notes.body(storage, shard)
            return hit
        }
    }

    @Test("what an earlier removal left and cannot be removed now keeps no other backup from being removed")
    func stubbornLeftover() async throws {
        try await withFileStorage { storage, root in
            try await Self.put.body(storage, shard)
            let left = root.appending("ks").appending("0").appending(".vtbackup-removed-17")
            try FileTree.createDirectory(left, parents: false)
            try FileTree.write([1], to: left.appending("0"))
            try await SystemFaults.with(below: left) { faults in
                faults.add(.unlink, nth: 1, .error(.ioError))
                try await storage.removeBackup("b", of: shard)
                #expect(faults.hits == 1)
            }
            #expect(try FileTree.list(root.appending("ks").appending("0")) == [".vtbackup-removed-17"])
        }
    }

    @Test("what was confirmed is there: no failing sync or close is taken for success")
    func lostSync() async throws {
        try await withFileStorage { storage, root in
            let writer = try await storage.startBackup("b", of: shard)
            for call in [SystemFaults.Call.sync, .close] {
                await SystemFaults.with(below: root) { faults in
                    faults.add(call, nth: 1, .error(.ioError))
                    await #expect(throws: FileError.self) {
                        _ = try await writer.put(.file(0), sizeHint: nil) { try await $0.write(Self.content[0]) }
                    }
                }
            }
        }
    }

    @Test("a removal that is interrupted has taken the backup out of its shard first, and goes on with the next")
    func interruptedRemoval() async throws {
        try await withFileStorage { storage, root in
            try await Self.put.body(storage, shard)
            await SystemFaults.with(below: root) { faults in
                faults.add(.unlink, nth: 0, .error(.ioError))
                await #expect(throws: FileError.self) { try await storage.removeBackup("b", of: shard) }
            }
            #expect(try await storage.listBackups(of: shard).isEmpty)
            #expect(try FileTree.list(root.appending("ks").appending("0")) == [])
            try await Self.put.body(storage, shard)
            #expect(try FileTree.list(root) == ["ks"])
        }
    }

    // MARK: Fewer powers

    /// What a file system may refuse for good, and what it says then.
    private struct Refusal: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var refused: [(SystemFaults.Call, Errno)]
    }

    private static let refusals: [Refusal] =
        [Errno.notPermitted, .notSupported, .noFunction, .tooManyLinks, .permissionDenied, .improperLink].map {
            Refusal(testDescription: "no hard links: \($0)", refused: [(.link, $0)])
        }
        + [Errno.invalidArgument, .noFunction, .notSupported].flatMap { code in
            [
                Refusal(
                    testDescription: "neither links nor a rename that replaces nothing: \(code)",
                    refused: [(.link, .notSupported), (.place, code)]
                ),
                Refusal(testDescription: "no sync: \(code)", refused: [(.sync, code)]),
            ]
        }
        + [Errno.noLocks, .badFileDescriptor, .noFunction, .notSupported, .invalidArgument].map {
            Refusal(testDescription: "no locks: \($0)", refused: [(.lock, $0)])
        }
        + [Errno.notPermitted, .noFunction, .tooManyOpenFiles, .improperLink].map {
            Refusal(testDescription: "no rename: \($0)", refused: [(.rename, $0)])
        }
        + [Errno.notPermitted, .notSupported, .invalidArgument].map {
            Refusal(testDescription: "no owners: \($0)", refused: [(.own, $0)])
        }
        + [
            Refusal(
                testDescription: "none of all this",
                refused: [
                    (.link, .notPermitted), (.place, .invalidArgument), (.sync, .invalidArgument), (.lock, .noLocks),
                    (.rename, .noFunction), (.own, .notPermitted),
                ]
            )
        ]

    @Test("a file system with fewer powers holds leases and backups all the same", arguments: refusals)
    private func fewerPowers(_ refusal: Refusal) async throws {
        try await withFileStorage { storage, root in
            try await SystemFaults.with(below: root) { faults in
                for (call, code) in refusal.refused { faults.add(call, nth: 0, .error(code)) }
                let place = Note.Place(.lease, of: shard)
                let first = try await storage.writeNote([1], at: place, expecting: .nothing)
                // Also without its powers two of us are told apart.
                let error = await #expect(throws: StorageError.self) {
                    _ = try await storage.writeNote([2], at: place, expecting: .nothing)
                }
                #expect(error?.code == .conflict)
                try await Self.put.body(storage, shard)
                for kind in Note.Place.Kind.allCases {
                    let note = Note.Place(kind, of: shard, backup: "b")
                    _ = try await storage.writeNote([3, 3], at: note, expecting: .anything)
                    _ = try await storage.writeNote([4], at: note, expecting: .anything)
                    #expect(try await storage.note(at: note)?.bytes == [4])
                }
                let second = try await storage.writeNote([5], at: place, expecting: .version(first))
                await #expect(throws: StorageError.self) {
                    _ = try await storage.writeNote([6], at: place, expecting: .version(first))
                }
                try await Self.read.body(storage, shard)
                try await Self.remove.body(storage, shard)
                try await storage.removeNote(at: place, expecting: .version(second))
                #expect(faults.hits > 0 || refusal.refused.map(\.0) == [.own])
            }
            #expect(try FileTree.list(root.appending("ks").appending("0")) == [])
            #expect(try FileTree.list(root) == ["ks"])
        }
    }
}
