import Host
import SystemPackage
import Testing

/// Golden files beside the tests.
enum Fixtures {
    /// The text of `Fixtures/<name>`.
    static func text(_ name: String) throws -> String {
        let path = FilePath(#filePath).removingLastComponent().appending("Fixtures").pushing(FilePath(name))
        let bytes = try #require(try FileTree.read(path, limit: 1 << 20), "no golden file \(path)")
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Compares line by line, so that a failure names the line.
    static func expect(_ text: String, equals name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let golden = try Self.text(name)
        let (lines, expected) = (
            text.split(separator: "\n", omittingEmptySubsequences: false),
            golden.split(separator: "\n", omittingEmptySubsequences: false)
        )
        for (number, (line, expected)) in zip(lines, expected).enumerated() where line != expected {
            Issue.record("\(name):\(number + 1) is \"\(line)\", not \"\(expected)\"", sourceLocation: sourceLocation)
            return
        }
        #expect(text == golden, "\(name)", sourceLocation: sourceLocation)
    }
}

/// Runs `body` with a fresh folder and removes it afterwards.
func withScratchFolder(_ body: (FilePath) throws -> Void) throws {
    let folder = FilePath("/var/tmp/mysql-control-tests-\(UInt64.random(in: 0 ... .max))")
    try FileTree.createDirectory(folder, parents: false)
    defer { try? FileTree.remove(folder) }
    try body(folder)
}
