/// Where a cluster keeps its records: a tree of small files, per cell and one global.
///
/// Contract: ``read(_:in:)`` of what does not exist throws `noNode`; an empty file exists. ``list(_:in:)`` gives the
/// immediate children, sorted by bytes, and throws `noNode` when nothing lies below. Nothing is cached.
package protocol TopologyStore: Sendable {
    /// How the bytes of records are coded in this store.
    var coding: RecordCoding { get }

    /// The bytes of a file. `path` is relative to the root of `cell`.
    func read(_ path: String, in cell: TopologyCell) async throws -> [UInt8]

    /// Names below a folder.
    func list(_ path: String, in cell: TopologyCell) async throws -> [String]
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

/// How records are coded.
package enum RecordCoding: Hashable, Sendable {
    /// Protobuf's JSON form, proto field names.
    case json
}
