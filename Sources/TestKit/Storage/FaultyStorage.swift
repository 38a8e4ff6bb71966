import NIOCore
package import Storage
import Synchronization
package import Vocabulary

/// Something that goes wrong once, or always.
///
/// Operations of a kind are counted from 1, in the order in which they begin.
package enum Fault: Hashable, Sendable {
    /// Which operation it hits.
    package enum Turn: Hashable, Sendable {
        case nth(Int)
        case every

        func hits(_ number: Int) -> Bool {
            if case .nth(let turn) = self { turn == number } else { true }
        }
    }

    /// What goes wrong with a listing.
    package enum ListFault: Hashable, Sendable {
        case fails
        /// It succeeds and says this.
        case lies([String])
    }

    /// What goes wrong with an object that is put.
    package enum PutFault: Hashable, Sendable {
        /// Nothing is written.
        case failsBefore
        /// It fails when more than so many bytes come.
        case failsAfter(bytes: Int)
        /// It fails although the object is stored.
        case failsStored
        /// Only so many bytes are stored, which is what is confirmed.
        case cutShort(bytes: Int)
        /// All is stored, another number of bytes is confirmed.
        case confirms(bytes: Int64)
        /// The body is never asked for bytes; so many are confirmed.
        case skipsBody(confirms: Int64)
        /// An error of the body is taken for the end of the object.
        case swallowsErrors
    }

    /// When a step that changes something fails.
    package enum StepFault: Hashable, Sendable {
        case before
        /// It took effect, and is reported as failed.
        case after
    }

    /// What goes wrong with an object that is read.
    package enum ReadFault: Hashable, Sendable {
        case failsAfter(bytes: Int)
        /// The object ends too early.
        case truncated(bytes: Int)
        /// One bit of the byte at this place is wrong.
        case flipped(at: Int)
    }

    case list(Turn, ListFault)
    case start(Turn, StepFault)
    case put(Turn, PutFault)
    case commit(Turn, StepFault)
    /// Of an object for reading.
    case open(Turn)
    /// Of the object that is opened at this turn.
    case read(Turn, ReadFault)
    case remove(Turn, StepFault)
    /// Of an unfinished backup.
    case abort(Turn, StepFault)
    /// Of a note that is read.
    case note(Turn)
    /// Of a note that is written or removed.
    case writeNote(Turn, StepFault)
}

/// A store that fails and lies according to plan, around any other store.
package final class FaultyStorage: BackupStorage {
    /// Kinds of operations that are counted.
    package enum Operation: String, Hashable, Sendable, CaseIterable {
        case list, start, put, commit, open, remove, abort, note, writeNote
    }

    private let base: any BackupStorage
    private let plan: [Fault]
    private let counts = Mutex<[Operation: Int]>([:])

    /// Wraps `base`.
    ///
    /// Without faults it only counts.
    package init(_ base: any BackupStorage, plan: [Fault] = []) {
        (self.base, self.plan) = (base, plan)
    }

    /// How many operations of a kind have begun: a test can let each of them fail in turn.
    package func count(_ operation: Operation) -> Int { counts.withLock { $0[operation, default: 0] } }

    package func listBackups(of shard: ShardPath) async throws -> [String] {
        let number = next(.list)
        for case .list(let turn, let fault) in plan where turn.hits(number) {
            switch fault {
            case .fails: throw failure(.list, number)
            case .lies(let names): return names
            }
        }
        return try await base.listBackups(of: shard)
    }

    package func startBackup(_ name: String, of shard: ShardPath) async throws -> any BackupWriter {
        let number = next(.start)
        for case .start(let turn, let fault) in plan where turn.hits(number) {
            if fault == .after { _ = try await base.startBackup(name, of: shard) }
            throw failure(.start, number)
        }
        return FaultyWriter(base: try await base.startBackup(name, of: shard), storage: self)
    }

    package func backup(_ name: String, of shard: ShardPath) throws -> any BackupReader {
        FaultyReader(base: try base.backup(name, of: shard), storage: self)
    }

    package func removeBackup(_ name: String, of shard: ShardPath) async throws {
        let number = next(.remove)
        for case .remove(let turn, let fault) in plan where turn.hits(number) {
            if fault == .after { try await base.removeBackup(name, of: shard) }
            throw failure(.remove, number)
        }
        try await base.removeBackup(name, of: shard)
    }

    package func note(at place: Note.Place) async throws -> Note? {
        let number = next(.note)
        for case .note(let turn) in plan where turn.hits(number) { throw failure(.note, number) }
        return try await base.note(at: place)
    }

    package func writeNote(
        _ bytes: [UInt8],
        at place: Note.Place,
        expecting: Note.Expectation
    ) async throws -> String {
        try await changeNote { try await base.writeNote(bytes, at: place, expecting: expecting) }
    }

    package func removeNote(at place: Note.Place, expecting: Note.Expectation) async throws {
        try await changeNote { try await base.removeNote(at: place, expecting: expecting) }
    }

    private func changeNote<Result>(_ body: () async throws -> Result) async throws -> Result {
        let number = next(.writeNote)
        for case .writeNote(let turn, let fault) in plan where turn.hits(number) {
            if fault == .after { _ = try await body() }
            throw failure(.writeNote, number)
        }
        return try await body()
    }

    // MARK: For writers and readers

    fileprivate func next(_ operation: Operation) -> Int {
        counts.withLock { counts in
            counts[operation, default: 0] += 1
            return counts[operation, default: 0]
        }
    }

    fileprivate func failure(_ operation: Operation, _ number: Int) -> StorageError {
        StorageError(.unavailable, "injected fault: \(operation.rawValue) \(number)")
    }

    fileprivate func putFault(_ number: Int) -> Fault.PutFault? {
        for case .put(let turn, let fault) in plan where turn.hits(number) { return fault }
        return nil
    }

    fileprivate func stepFault(_ operation: Operation, _ number: Int) -> Fault.StepFault? {
        for fault in plan {
            switch fault {
            case .commit(let turn, let fault) where operation == .commit && turn.hits(number): return fault
            case .abort(let turn, let fault) where operation == .abort && turn.hits(number): return fault
            default: continue
            }
        }
        return nil
    }

    fileprivate func opens(_ number: Int) -> Bool {
        !plan.contains { if case .open(let turn) = $0 { turn.hits(number) } else { false } }
    }

    fileprivate func readFault(_ number: Int) -> Fault.ReadFault? {
        for case .read(let turn, let fault) in plan where turn.hits(number) { return fault }
        return nil
    }
}

// MARK: - Writing

private struct FaultyWriter: BackupWriter {
    let base: any BackupWriter
    let storage: FaultyStorage
    var name: String { base.name }

    func put(
        _ object: ObjectName,
        sizeHint: Int64?,
        body: (any ObjectSink) async throws -> Void
    ) async throws -> Int64 {
        let number = storage.next(.put)
        let failure = storage.failure(.put, number)
        switch storage.putFault(number) {
        case nil: return try await base.put(object, sizeHint: sizeHint, body: body)
        case .failsBefore: throw failure
        case .failsAfter(let bytes):
            return try await base.put(object, sizeHint: sizeHint) { sink in
                let limited = LimitedSink(base: sink, limit: bytes, failure: failure)
                try await body(limited)
                // Also for a body that does not pass the error on.
                if limited.isFull { throw failure }
            }
        case .failsStored:
            _ = try await base.put(object, sizeHint: sizeHint, body: body)
            throw failure
        case .cutShort(let bytes):
            return try await base.put(object, sizeHint: sizeHint) { sink in
                try await body(LimitedSink(base: sink, limit: bytes, failure: nil))
            }
        case .confirms(let bytes):
            _ = try await base.put(object, sizeHint: sizeHint, body: body)
            return bytes
        case .skipsBody(let bytes): return bytes
        case .swallowsErrors:
            return try await base.put(object, sizeHint: sizeHint) { sink in
                do { try await body(sink) } catch {}
            }
        }
    }

    func commit(manifest: ByteBuffer) async throws {
        try await step(.commit) { try await base.commit(manifest: manifest) }
    }

    func abort() async throws {
        try await step(.abort) { try await base.abort() }
    }

    private func step(_ operation: FaultyStorage.Operation, _ body: () async throws -> Void) async throws {
        let number = storage.next(operation)
        let fault = storage.stepFault(operation, number)
        if fault != .before { try await body() }
        if fault != nil { throw storage.failure(operation, number) }
    }
}

/// Passes on so many bytes; then it fails, or drops the rest.
private final class LimitedSink: ObjectSink {
    private let base: any ObjectSink
    private let limit: Int
    private let failure: StorageError?
    private let passed = Mutex(0)

    init(base: any ObjectSink, limit: Int, failure: StorageError?) {
        (self.base, self.limit, self.failure) = (base, limit, failure)
    }

    /// Whether more came than passes.
    var isFull: Bool { passed.withLock { $0 } > limit }

    func write(_ bytes: ByteBuffer) async throws {
        let before = passed.withLock { passed in
            defer { passed += bytes.readableBytes }
            return passed
        }
        let room = max(0, min(bytes.readableBytes, limit - before))
        if let part = bytes.getSlice(at: bytes.readerIndex, length: room), room > 0 { try await base.write(part) }
        if room < bytes.readableBytes, let failure { throw failure }
    }
}

// MARK: - Reading

private struct FaultyReader: BackupReader {
    let base: any BackupReader
    let storage: FaultyStorage
    var name: String { base.name }

    func size(of object: ObjectName) async throws -> Int64? { try await base.size(of: object) }

    func withObject<Result: Sendable>(
        _ object: ObjectName,
        body: (any ObjectSource) async throws -> Result
    ) async throws -> Result {
        let number = storage.next(.open)
        guard storage.opens(number) else { throw storage.failure(.open, number) }
        guard let fault = storage.readFault(number) else { return try await base.withObject(object, body: body) }
        let failure = storage.failure(.open, number)
        return try await base.withObject(object) {
            try await body(FaultySource(base: $0, fault: fault, failure: failure))
        }
    }
}

private final class FaultySource: ObjectSource {
    private let base: any ObjectSource
    private let fault: Fault.ReadFault
    private let failure: StorageError
    private let position = Mutex(0)

    init(base: any ObjectSource, fault: Fault.ReadFault, failure: StorageError) {
        (self.base, self.fault, self.failure) = (base, fault, failure)
    }

    func next() async throws -> ByteBuffer? {
        guard var piece = try await base.next() else {
            if case .failsAfter = fault { throw failure }
            return nil
        }
        let start = position.withLock { position in
            defer { position += piece.readableBytes }
            return position
        }
        switch fault {
        case .failsAfter(let bytes):
            guard start < bytes else { throw failure }
            return piece.readSlice(length: min(bytes - start, piece.readableBytes))
        case .truncated(let bytes):
            return start < bytes ? piece.readSlice(length: min(bytes - start, piece.readableBytes)) : nil
        case .flipped(let place):
            let index = piece.readerIndex + place - start
            if (piece.readerIndex..<piece.writerIndex).contains(index),
                let byte = piece.getInteger(at: index, as: UInt8.self)
            {
                piece.setInteger(byte ^ 1, at: index)
            }
            return piece
        }
    }
}
