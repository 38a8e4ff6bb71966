import Concurrency
import Synchronization

/// The topology in memory, for tests and simulations.
package final class InMemoryTopology: TopologyStore {
    private struct State {
        var files: [TopologyCell: [String: TopologyFile]] = [:]
        /// Of all writes together.
        var generation = 0
        var unreachable: [TopologyCell: TopologyError] = [:]
        var queues: [String: Slots] = [:]
        /// By the path of the lock.
        var holders: [String: Holder] = [:]
    }

    private struct Holder {
        var record: LockRecord
        var generation: Int
    }

    package let coding: RecordCoding
    private let state = Mutex(State())

    /// Creates an empty topology.
    package init(coding: RecordCoding = .json) {
        self.coding = coding
    }

    /// Writes a record, or removes it with `nil`.
    package func set(_ path: String, in cell: TopologyCell, to text: String?) {
        state.withLock { state in
            if let text {
                _ = Self.write(&state, path, cell, Array(text.utf8))
            } else {
                state.files[cell]?[path] = nil
            }
        }
    }

    /// Lets a cell answer with an error, or again with `nil`.
    package func setUnreachable(_ cell: TopologyCell, _ error: TopologyError?) {
        state.withLock { $0.unreachable[cell] = error }
    }

    /// Takes the lock from whoever has it, as when his lease ended.
    package func breakLock(_ name: String) {
        state.withLock { $0.holders[pathOfNamedLock(name)] = nil }
    }

    /// - Throws: why the cell does not answer.
    private static func files(_ state: State, _ cell: TopologyCell) throws -> [String: TopologyFile] {
        if let error = state.unreachable[cell] { throw error }
        return state.files[cell] ?? [:]
    }

    private static func write(_ state: inout State, _ path: String, _ cell: TopologyCell, _ bytes: [UInt8]) -> String {
        state.generation += 1
        let version = String(state.generation)
        state.files[cell, default: [:]][path] = TopologyFile(bytes: bytes, version: version)
        return version
    }

    package func read(_ path: String, in cell: TopologyCell) async throws -> TopologyFile {
        guard let file = try state.withLock({ try Self.files($0, cell)[path] }) else {
            throw TopologyError.noNode(path)
        }
        return file
    }

    package func list(_ path: String, in cell: TopologyCell) async throws -> [String] {
        let prefix = path + "/"
        let names = try state.withLock { state in
            Set(
                try Self.files(state, cell).keys.filter { $0.hasPrefix(prefix) }.map {
                    String($0.dropFirst(prefix.count).prefix { $0 != "/" })
                }
            )
        }
        guard !names.isEmpty else { throw TopologyError.noNode(prefix) }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    package func create(_ path: String, in cell: TopologyCell, _ bytes: [UInt8]) async throws -> String {
        try state.withLock { state in
            guard try Self.files(state, cell)[path] == nil else { throw TopologyError.nodeExists(path) }
            return Self.write(&state, path, cell, bytes)
        }
    }

    package func update(
        _ path: String,
        in cell: TopologyCell,
        _ bytes: [UInt8],
        expecting version: String?
    ) async throws -> String {
        try state.withLock { state in
            let found = try Self.files(state, cell)[path]
            if let version, found?.version != version { throw TopologyError.badVersion(path) }
            return Self.write(&state, path, cell, bytes)
        }
    }

    package func delete(_ path: String, in cell: TopologyCell, expecting version: String?) async throws {
        try state.withLock { state in
            guard let file = try Self.files(state, cell)[path] else { throw TopologyError.noNode(path) }
            if let version, file.version != version { throw TopologyError.badVersion(path) }
            state.files[cell]?[path] = nil
        }
    }

    package func withNamedLock<Result: Sendable>(
        _ name: String,
        _ record: LockRecord,
        _ limits: LockLimits,
        _ body: @escaping @Sendable (any TopologyLock) async throws -> Result
    ) async throws -> Result {
        let path = pathOfNamedLock(name)
        let queue = state.withLock { state in
            let queue = state.queues[path] ?? Slots(count: 1)
            state.queues[path] = queue
            return queue
        }
        do {
            try await withDeadline(limits.acquisition, operation: path) { try await queue.acquire() }
        } catch is DeadlineExceeded {
            throw TopologyError.lockHeld(path, by: state.withLock { $0.holders[path]?.record.encoded })
        }
        defer { queue.release() }
        let generation = state.withLock { state in
            state.generation += 1
            state.holders[path] = Holder(record: record, generation: state.generation)
            return state.generation
        }
        defer { state.withLock { $0.holders[path] = nil } }
        return try await body(Lock(path: path, generation: generation, topology: self))
    }

    private struct Lock: TopologyLock {
        let path: String
        let generation: Int
        let topology: InMemoryTopology

        var mayBeOver: Bool { topology.state.withLock { $0.holders[path]?.generation != generation } }

        func confirm() async throws {
            guard !mayBeOver else { throw TopologyError.lockLost(path, "somebody has removed it") }
        }
    }
}
