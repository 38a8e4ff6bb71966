import Synchronization

/// The topology in memory, for tests and simulations.
package final class InMemoryTopology: TopologyStore {
    private let files = Mutex<[TopologyCell: [String: [UInt8]]]>([:])

    /// Creates an empty topology.
    package init() {}

    package var coding: RecordCoding { .json }

    /// Writes a record, or removes it with `nil`.
    package func set(_ path: String, in cell: TopologyCell, to text: String?) {
        files.withLock { $0[cell, default: [:]][path] = text.map { Array($0.utf8) } }
    }

    package func read(_ path: String, in cell: TopologyCell) async throws -> [UInt8] {
        guard let bytes = files.withLock({ $0[cell]?[path] }) else { throw TopologyError.noNode(path) }
        return bytes
    }

    package func list(_ path: String, in cell: TopologyCell) async throws -> [String] {
        let prefix = path + "/"
        let names = files.withLock { files in
            Set(
                (files[cell] ?? [:]).keys.filter { $0.hasPrefix(prefix) }.map {
                    String($0.dropFirst(prefix.count).prefix { $0 != "/" })
                }
            )
        }
        guard !names.isEmpty else { throw TopologyError.noNode(prefix) }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
