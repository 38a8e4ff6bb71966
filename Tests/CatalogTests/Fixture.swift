import FoundationEssentials
import Testing

/// Files of `Fixtures/`, found beside this source file.
enum Fixture {
    /// The bytes of one file.
    static func bytes(_ path: String) throws -> [UInt8] {
        let file = "\(folder)/\(path)"
        return [UInt8](try #require(FileManager.default.contents(atPath: file), "cannot read \(file)"))
    }

    /// The text of one file.
    static func text(_ path: String) throws -> String { String(decoding: try bytes(path), as: UTF8.self) }

    /// The names in one folder, sorted.
    static func names(in path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(path)").sorted()
    }

    private static var folder: String {
        let source = #filePath
        return source[..<(source.lastIndex(of: "/") ?? source.endIndex)] + "/Fixtures"
    }
}
