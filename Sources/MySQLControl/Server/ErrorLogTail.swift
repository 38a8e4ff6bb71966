import Host
import SystemPackage

/// The end of mysqld's error log, which says why a server did not start or died.
enum ErrorLogTail {
    private static let size: Int64 = 4096

    /// The values of `lower_case_table_names` here and in the data dictionary, when the server's last start failed because they
    /// differ: it says so by the error's number, in whatever language.
    /// - Throws: ``FileError``.
    static func namesOfTablesRefused(_ path: FilePath) throws -> (server: String, dictionary: String)? {
        guard try FileTree.status(path)?.kind == .regular else { return nil }
        let file = try FileTree.open(path, .readOnly)
        let text = try file.closing {
            let start = max(0, try file.sizeAndChange().size - 16 * size)
            let bytes = try [UInt8](unsafeUninitializedCapacity: Int(16 * size)) { buffer, count in
                count = try file.readFully(into: UnsafeMutableRawBufferPointer(buffer), at: start)
            }
            return String(decoding: bytes, as: UTF8.self)
        }
        return namesOfTablesRefused(in: text)
    }

    /// As the same, in lines of an error log.
    static func namesOfTablesRefused(in text: String) -> (server: String, dictionary: String)? {
        for line in text.split(separator: "\n").reversed() where line.contains("[MY-011087]") {
            guard let values = line.firstMatch(of: /'([0-9])'.*'([0-9])'/) else { continue }
            return (String(values.1), String(values.2))
        }
        return nil
    }

    /// The last 4 KiB with a heading, or why they cannot be shown.
    static func text(_ path: FilePath) -> String {
        do {
            guard let status = try FileTree.status(path, followLinks: false) else {
                return "could not stat mysql error log (\(path)): no such file"
            }
            guard status.kind == .regular else { return "mysql error log file is not a regular file: \(path)" }
            let file = try FileTree.open(path, .readOnly, options: .noFollow)
            return try file.closing {
                let start = max(0, status.size - size)
                let bytes = try [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
                    count = try file.readFully(into: UnsafeMutableRawBufferPointer(buffer), at: start)
                }
                let text = String(decoding: bytes, as: UTF8.self)
                return "tail of mysql error log (\(path)):\n" + shown(text, isCut: start > 0)
            }
        } catch {
            return "could not read mysql error log (\(path)): \(error)"
        }
    }

    /// The text without statements that failed: they have passwords in them, may have several lines, and may have begun
    /// before a text that `isCut`.
    static func shown(_ text: String, isCut: Bool) -> String {
        var isHidden = isCut
        var lines: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.prefixMatch(of: /[0-9]{4}-?[0-9]{2}-?[0-9]{2}[T ]/) != nil { isHidden = false }
            if isHidden { continue }
            let shown = StatementLog.withoutQuery(String(line))
            lines.append(shown)
            isHidden = shown != line
        }
        return lines.joined(separator: "\n")
    }
}
