import Streams
import SystemPackage

/// The end of mysqld's error log, which says why a server did not start or died.
enum ErrorLogTail {
    private static let size: Int64 = 4096

    /// The last 4 KiB with a heading, or why they cannot be shown.
    static func text(_ path: FilePath) -> String {
        do {
            guard let status = try FileTree.status(path) else {
                return "could not stat mysql error log (\(path)): no such file"
            }
            guard status.kind == .regular else { return "mysql error log file is not a regular file: \(path)" }
            let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
            return try file.closeAfter {
                let start = max(0, status.size - size)
                let bytes = try [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
                    count = try file.readFully(into: UnsafeMutableRawBufferPointer(buffer), at: start)
                }
                // mysqld writes statements that failed, with the passwords in them.
                let lines = String(decoding: bytes, as: UTF8.self).split(
                    separator: "\n",
                    omittingEmptySubsequences: false
                ).map { StatementLog.withoutQuery(String($0)) }
                return "tail of mysql error log (\(path)):\n" + lines.joined(separator: "\n")
            }
        } catch {
            return "could not read mysql error log (\(path)): \(error)"
        }
    }
}
