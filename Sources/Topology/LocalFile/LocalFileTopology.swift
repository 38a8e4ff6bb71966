import Concurrency
import Glibc
import Host
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

    package func read(_ path: String, in cell: TopologyCell) async throws -> TopologyFile {
        let place = try location(path, cell)
        guard let file = try file(at: place) else { throw TopologyError.noNode(place.string) }
        return file
    }

    private func file(at place: FilePath) throws(TopologyError) -> TopologyFile? {
        // Files are replaced, never changed: the version is that of the same file when it is so before and after.
        while true {
            guard let before = try found({ () throws(FileError) in try FileTree.status(place) }),
                let bytes = try found({ () throws(FileError) in try FileTree.read(place, limit: Self.largestRecord) })
            else { return nil }
            let after = try found { () throws(FileError) in try FileTree.status(place) }
            if let after, before.version == after.version { return TopologyFile(bytes: bytes, version: before.version) }
        }
    }

    package func create(_ path: String, in cell: TopologyCell, _ bytes: [UInt8]) async throws -> String {
        let place = try location(path, cell)
        return try locked(cell) {
            guard try file(at: place) == nil else { throw TopologyError.nodeExists(place.string) }
            return try write(bytes, to: place)
        }
    }

    package func update(
        _ path: String,
        in cell: TopologyCell,
        _ bytes: [UInt8],
        expecting version: String?
    ) async throws -> String {
        let place = try location(path, cell)
        return try locked(cell) {
            if let version, try file(at: place)?.version != version { throw TopologyError.badVersion(place.string) }
            return try write(bytes, to: place)
        }
    }

    package func delete(_ path: String, in cell: TopologyCell, expecting version: String?) async throws {
        let place = try location(path, cell)
        try locked(cell) {
            guard let file = try file(at: place) else { throw TopologyError.noNode(place.string) }
            if let version, file.version != version { throw TopologyError.badVersion(place.string) }
            try FileTree.remove(place)
            try removeEmptyFolders(from: place.removingLastComponent(), to: try location("", cell))
        }
    }

    /// A folder exists while something is in it.
    private func removeEmptyFolders(from folder: FilePath, to root: FilePath) throws(FileError) {
        var folder = folder
        while folder != root, folder.starts(with: root), try FileTree.list(folder)?.isEmpty == true {
            try FileTree.remove(folder)
            folder = folder.removingLastComponent()
        }
    }

    private func write(_ bytes: [UInt8], to place: FilePath) throws -> String {
        let folder = place.removingLastComponent()
        try FileTree.createDirectory(folder, parents: true)
        let draft = FilePath(place.string + ".\(getpid()).new")
        do {
            try FileTree.write(bytes, to: draft, durable: true)
            try FileTree.rename(draft, to: place)
        } catch {
            try? FileTree.remove(draft)
            throw error
        }
        try FileTree.sync(directory: folder)
        return try FileTree.status(place)?.version ?? ""
    }

    /// One writer at a time in a cell, in all processes.
    private func locked<Result>(_ cell: TopologyCell, _ body: () throws -> Result) throws -> Result {
        let folder = try location("", cell)
        do {
            try FileTree.createDirectory(folder, parents: true)
            let descriptor = try fileCall("open folder", folder) {
                try FileDescriptor.open(folder, .readOnly, options: [.directory, .closeOnExec])
            }
            return try descriptor.closing {
                while flock(descriptor.rawValue, LOCK_EX) != 0 {
                    guard errno == EINTR else { throw FileError("lock", folder, Errno(rawValue: errno)) }
                }
                return try body()
            }
        } catch let error as FileError {
            throw TopologyError(.unavailable, "\(error)")
        }
    }

    package func withNamedLock<Result: Sendable>(
        _ name: String,
        _ record: LockRecord,
        _ limits: LockLimits,
        _ body: @escaping @Sendable (any TopologyLock) async throws -> Result
    ) async throws -> Result {
        let place = try location(pathOfNamedLock(name) + "/Lock", .global)
        let lock = try await LocalFileLock.take(place, record, within: limits.acquisition)
        return try await withCleanup {
            try await body(lock)
        } cleanup: {
            lock.release()
        }
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
