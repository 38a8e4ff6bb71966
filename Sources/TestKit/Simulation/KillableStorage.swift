import NIOCore
import Storage
import Synchronization
import Vocabulary

/// The process is gone: nothing that it had still to do happens any more.
struct ProcessKilled: Error, CustomStringConvertible {
    let description = "killed"
}

/// Counts every step that a pass takes in its store, and can end the pass at any of them as kill -9 would.
final class KillableStorage: BackupStorage {
    /// What happens at a step.
    enum Event: Sendable {
        /// Every step from there on fails, before it has any effect.
        case kill
        /// Something else goes on first.
        case run(@Sendable () async throws -> Void)
    }

    private struct State {
        var steps = 0
        var commitStep: Int?
        var isDead = false
        var fired = false
    }

    private let base: any BackupStorage
    private let at: Int?
    private let event: Event
    private let state = Mutex(State())

    init(_ base: any BackupStorage, at step: Int? = nil, _ event: Event = .kill) {
        (self.base, at, self.event) = (base, step, event)
    }

    var steps: Int { state.withLock { $0.steps } }
    /// At which step the commit was.
    var commitStep: Int? { state.withLock { $0.commitStep } }
    var hasFired: Bool { state.withLock { $0.fired } }

    fileprivate func step(isCommit: Bool = false) async throws {
        let (dead, fires) = state.withLock { state -> (Bool, Bool) in
            guard !state.isDead else { return (true, false) }
            state.steps += 1
            if isCommit { state.commitStep = state.steps }
            guard state.steps == at else { return (false, false) }
            state.fired = true
            if case .kill = event { state.isDead = true }
            return (state.isDead, true)
        }
        if dead { throw ProcessKilled() }
        if fires, case .run(let body) = event { try await body() }
    }

    func listBackups(of shard: ShardPath) async throws -> [String] {
        try await step()
        return try await base.listBackups(of: shard)
    }

    func startBackup(_ name: String, of shard: ShardPath) async throws -> any BackupWriter {
        try await step()
        return Writer(base: try await base.startBackup(name, of: shard), storage: self)
    }

    func backup(_ name: String, of shard: ShardPath) throws -> any BackupReader {
        Reader(base: try base.backup(name, of: shard), storage: self)
    }

    func removeBackup(_ name: String, of shard: ShardPath) async throws {
        try await step()
        try await base.removeBackup(name, of: shard)
    }

    func note(at place: Note.Place) async throws -> Note? {
        try await step()
        return try await base.note(at: place)
    }

    func writeNote(_ bytes: [UInt8], at place: Note.Place, expecting: Note.Expectation) async throws -> String {
        try await step()
        return try await base.writeNote(bytes, at: place, expecting: expecting)
    }

    func removeNote(at place: Note.Place, expecting: Note.Expectation) async throws {
        try await step()
        try await base.removeNote(at: place, expecting: expecting)
    }

    private struct Writer: BackupWriter {
        let base: any BackupWriter
        let storage: KillableStorage
        var name: String { base.name }

        func put(
            _ object: ObjectName,
            sizeHint: Int64?,
            body: (any ObjectSink) async throws -> Void
        ) async throws -> Int64 {
            try await storage.step()
            let size = try await base.put(object, sizeHint: sizeHint) { sink in
                try await body(Sink(base: sink, storage: storage))
            }
            // The object is there, and nobody heard of it.
            try await storage.step()
            return size
        }

        func commit(manifest: ByteBuffer) async throws {
            try await storage.step(isCommit: true)
            try await base.commit(manifest: manifest)
            try await storage.step()
        }

        func abort() async throws {
            try await storage.step()
            try await base.abort()
        }
    }

    private struct Sink: ObjectSink {
        let base: any ObjectSink
        let storage: KillableStorage

        func write(_ bytes: ByteBuffer) async throws {
            try await storage.step()
            try await base.write(bytes)
        }
    }

    private struct Reader: BackupReader {
        let base: any BackupReader
        let storage: KillableStorage
        var name: String { base.name }

        func size(of object: ObjectName) async throws -> Int64? { try await base.size(of: object) }

        func withObject<Result: Sendable>(
            _ object: ObjectName,
            body: (any ObjectSource) async throws -> Result
        ) async throws -> Result {
            try await storage.step()
            return try await base.withObject(object, body: body)
        }
    }
}

/// A mutation of the product that campaigns must catch: the MANIFEST is written before one of the objects.
///
/// Not before the smallest: that one the pass itself reads back, and would be missed at once.
struct HastyStorage: BackupStorage {
    let base: any BackupStorage

    func listBackups(of shard: ShardPath) async throws -> [String] { try await base.listBackups(of: shard) }

    func startBackup(_ name: String, of shard: ShardPath) async throws -> any BackupWriter {
        Writer(base: try await base.startBackup(name, of: shard))
    }

    func backup(_ name: String, of shard: ShardPath) throws -> any BackupReader { try base.backup(name, of: shard) }
    func removeBackup(_ name: String, of shard: ShardPath) async throws {
        try await base.removeBackup(name, of: shard)
    }
    func note(at place: Note.Place) async throws -> Note? { try await base.note(at: place) }
    func writeNote(_ bytes: [UInt8], at place: Note.Place, expecting: Note.Expectation) async throws -> String {
        try await base.writeNote(bytes, at: place, expecting: expecting)
    }
    func removeNote(at place: Note.Place, expecting: Note.Expectation) async throws {
        try await base.removeNote(at: place, expecting: expecting)
    }

    private final class Writer: BackupWriter {
        private let base: any BackupWriter
        private let late = Mutex<ByteBuffer?>(nil)
        private static let last = ObjectName.file(0)

        init(base: any BackupWriter) {
            self.base = base
        }

        var name: String { base.name }

        func put(
            _ object: ObjectName,
            sizeHint: Int64?,
            body: (any ObjectSink) async throws -> Void
        ) async throws -> Int64 {
            guard object == Self.last else { return try await base.put(object, sizeHint: sizeHint, body: body) }
            let sink = Sink()
            try await body(sink)
            let bytes = sink.bytes.withLock { $0 }
            late.withLock { $0 = bytes }
            return Int64(bytes.readableBytes)
        }

        func commit(manifest: ByteBuffer) async throws {
            try await base.commit(manifest: manifest)
            guard let bytes = late.withLock({ $0 }) else { return }
            _ = try await base.put(Self.last, sizeHint: nil) { try await $0.write(bytes) }
        }

        func abort() async throws { try await base.abort() }
    }

    private final class Sink: ObjectSink {
        let bytes = Mutex(ByteBuffer())

        func write(_ bytes: ByteBuffer) async throws {
            self.bytes.withLock { _ = $0.writeImmutableBuffer(bytes) }
        }
    }
}
