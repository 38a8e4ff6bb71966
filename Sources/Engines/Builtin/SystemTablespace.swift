import Host
import InnoDB
package import SystemPackage

/// What the system tablespace tells of the server that made it.
package enum SystemTablespace {
    /// The page size of all of the server's tablespaces, whatever the files of the system tablespace are called; blocking.
    /// - Parameter folder: InnoDB's data home.
    /// - Returns: `nil` when there is no first file of one.
    /// - Throws: ``FileError``.
    package static func pageSize(in folder: FilePath) throws -> Int? {
        for name in try FileTree.list(folder) ?? [] {
            let path = folder.appending(name)
            guard let status = try FileTree.status(path), status.kind == .regular,
                status.size >= TablespaceFormat.headerSize
            else { continue }
            let file = try FileTree.open(path, .readOnly)
            let format = try file.closing {
                let head = try [UInt8](unsafeUninitializedCapacity: TablespaceFormat.headerSize) { buffer, count in
                    count = try fileCall("read", path) {
                        try file.readFully(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
                    }
                }
                return head.withUnsafeBytes { TablespaceFormat(firstPage: $0) }
            }
            if let format, format.isSystem { return format.pageSize }
        }
        return nil
    }
}
