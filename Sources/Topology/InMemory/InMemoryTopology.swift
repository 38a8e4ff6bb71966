import Synchronization

/// The topology in memory, for tests and simulations.
package final class InMemoryTopology: TopologyStore {
    private struct State {
        var files: [TopologyCell: [String: TopologyFile]] = [:]
        /// Of all writes together.
        var generation = 0
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

    private static func write(_ state: inout State, _ path: String, _ cell: TopologyCell, _ bytes: [UInt8]) -> String {
        state.generation += 1
        let version = String(state.generation)
        state.files[cell, default: [:]][path] = TopologyFile(bytes: bytes, version: version)
        return version
    }

    package func read(_ path: String, in cell: TopologyCell) async throws -> TopologyFile {
        guard let file = state.withLock({ $0.files[cell]?[path] }) else { throw TopologyError.noNode(path) }
        return file
    }

    package func list(_ path: String, in cell: TopologyCell) async throws -> [String] {
        let prefix = path + "/"
        let names = state.withLock { state in
            Set(
                (state.files[cell] ?? [:]).keys.filter { $0.hasPrefix(prefix) }.map {
                    String($0.dropFirst(prefix.count).prefix { $0 != "/" })
                }
            )
        }
        guard !names.isEmpty else { throw TopologyError.noNode(prefix) }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    package func create(_ path: String, in cell: TopologyCell, _ bytes: [UInt8]) async throws -> String {
        try state.withLock { state in
            guard state.files[cell]?[path] == nil else { throw TopologyError.nodeExists(path) }
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
            if let version, state.files[cell]?[path]?.version != version { throw TopologyError.badVersion(path) }
            return Self.write(&state, path, cell, bytes)
        }
    }

    package func delete(_ path: String, in cell: TopologyCell, expecting version: String?) async throws {
        try state.withLock { state in
            guard let file = state.files[cell]?[path] else { throw TopologyError.noNode(path) }
            if let version, file.version != version { throw TopologyError.badVersion(path) }
            state.files[cell]?[path] = nil
        }
    }
}
