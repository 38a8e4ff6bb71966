import Streams
package import SystemPackage

/// The topology as files of protobuf JSON: the global root is a folder, the cells' folders stand beside it.
package struct LocalFileTopology: TopologyStore {
    private static let largestRecord = 4 << 20
    private let root: FilePath

    /// Uses `root` as the global root and `root/../<cell>` for each cell.
    /// - Throws: ``TopologyError`` when it is no folder.
    package init(root: FilePath) throws {
        guard try FileTree.status(root)?.kind == .directory else {
            throw TopologyError(
                .unavailable,
                "Failed to open topo server (file,,\(root)): \(root) is not a folder; HINT: give the folder of the global records with --topo-global-root"
            )
        }
        self.root = root
    }

    package var coding: RecordCoding { .json }

    package func read(_ path: String, in cell: TopologyCell) async throws -> [UInt8] {
        let file = try location(path, cell)
        guard let bytes = try found({ () throws(FileError) in try FileTree.read(file, limit: Self.largestRecord) })
        else {
            throw TopologyError.noNode(file.string)
        }
        return bytes
    }

    package func list(_ path: String, in cell: TopologyCell) async throws -> [String] {
        let folder = try location(path, cell)
        guard let names = try found({ () throws(FileError) in try FileTree.list(folder) }), !names.isEmpty else {
            throw TopologyError.noNode(folder.string + "/")
        }
        return names
    }

    /// `nil` also for a folder where a file was expected, or the other way round: no record is there.
    private func found<Found>(_ body: () throws(FileError) -> Found?) throws(TopologyError) -> Found? {
        do {
            return try body()
        } catch {
            if error.errno == .isDirectory || error.errno == .notDirectory { return nil }
            throw TopologyError(.unavailable, "\(error)")
        }
    }

    private func location(_ path: String, _ cell: TopologyCell) throws(TopologyError) -> FilePath {
        let base: FilePath
        switch cell {
        case .global: base = root
        case .cell(let name):
            guard let component = FilePath.Component(name), component.kind == .regular, component.string == name else {
                throw TopologyError(.damagedRecord, "\"\(name)\" is no name of a cell")
            }
            let normal = root.lexicallyNormalized()
            // A root such as `.` has no name whose removal would lead to the folder above it.
            let parent = normal.lastComponent?.kind == .regular ? normal.removingLastComponent() : root.appending("..")
            base = parent.appending(component)
        }
        guard let joined = base.lexicallyResolving(FilePath(path)) else {
            throw TopologyError(.damagedRecord, "path \(path) leaves cell \(cell)")
        }
        return joined
    }
}
