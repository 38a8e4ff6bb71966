/// Where a cluster keeps its records: a tree of small files, per cell and one global.
///
/// The contract of every implementation (`TopologyConformance` in TestKit checks it):
/// - Paths are relative to the root of the cell. A file without content exists; a folder exists while something is in it.
/// - A version changes with every write, and is opaque. Of two writers who expect the same version one fails.
/// - What is not there is `noNode`, with the path in the error's text. Nothing is cached.
/// - All operations may be called concurrently; a write has happened when it returns.
package protocol TopologyStore: Sendable {
    /// How the bytes of records are coded in this store.
    var coding: RecordCoding { get }

    /// A file as it is now.
    /// - Throws: ``TopologyError`` with code `noNode`, or why the store cannot tell.
    func read(_ path: String, in cell: TopologyCell) async throws -> TopologyFile

    /// Names of the immediate children of a folder, sorted by bytes.
    /// - Throws: ``TopologyError`` with code `noNode` when nothing lies below.
    func list(_ path: String, in cell: TopologyCell) async throws -> [String]

    /// Writes a file that is not there yet.
    /// - Returns: its version.
    /// - Throws: ``TopologyError`` with code `nodeExists`.
    func create(_ path: String, in cell: TopologyCell, _ bytes: [UInt8]) async throws -> String

    /// Writes a file, if it still is what was read; without a version whatever is there, also nothing.
    /// - Returns: its new version.
    /// - Throws: ``TopologyError`` with code `badVersion`.
    func update(
        _ path: String,
        in cell: TopologyCell,
        _ bytes: [UInt8],
        expecting version: String?
    ) async throws -> String

    /// Removes a file, if it still is what was read.
    /// - Throws: ``TopologyError`` with code `noNode` or `badVersion`.
    func delete(_ path: String, in cell: TopologyCell, expecting version: String?) async throws

    /// Takes the named lock `internal/named_locks/<name>` of the global cell, runs `body`, and gives the lock back.
    ///
    /// One holder at a time in all processes. A store that sees by itself that the lock is lost cancels `body`.
    /// - Parameters:
    ///   - name: without slashes.
    ///   - record: what others read of the holder.
    ///   - limits: how long to wait, and how long the lock outlives us.
    ///   - body: runs while the lock is held.
    /// - Returns: what `body` returns.
    /// - Throws: ``TopologyError`` with code `lockHeld` after the time to wait, `lockLost` when it was lost; what `body`
    ///   throws.
    func withNamedLock<Result: Sendable>(
        _ name: String,
        _ record: LockRecord,
        _ limits: LockLimits,
        _ body: @escaping @Sendable (any TopologyLock) async throws -> Result
    ) async throws -> Result
}

/// Where the named lock `name` lies in the global cell.
package func pathOfNamedLock(_ name: String) -> String { "internal/named_locks/\(name)" }

/// A file of the topology.
package struct TopologyFile: Hashable, Sendable {
    package var bytes: [UInt8]
    package var version: String

    /// A file as it was read.
    package init(bytes: [UInt8], version: String) {
        (self.bytes, self.version) = (bytes, version)
    }
}

/// Which part of the topology a path belongs to.
package enum TopologyCell: Hashable, Sendable, CustomStringConvertible {
    case global
    case cell(String)

    package var description: String {
        switch self {
        case .global: "global"
        case .cell(let name): name
        }
    }
}
