import Testing

@testable import Compression

@Suite("Codec names and levels")
struct CodecTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var level: Int
        var codec: Codec
        var testDescription: String { "level \(level)" }
    }

    @Test(
        "levels of gzip",
        arguments: ["pargzip", "pgzip"],
        [
            Case(level: -2, codec: .gzip(level: .isal(0))),
            Case(level: -1, codec: .gzip(level: .isal(3))),
            Case(level: 0, codec: .gzip(level: .stored)),
            Case(level: 1, codec: .gzip(level: .isal(1))),
            Case(level: 2, codec: .gzip(level: .isal(2))),
            Case(level: 3, codec: .gzip(level: .isal(3))),
            Case(level: 6, codec: .gzip(level: .isal(3))),
            Case(level: 9, codec: .gzip(level: .isal(3))),
        ]
    )
    func levels(engine: String, _ test: Case) throws {
        #expect(try Codec(engine: engine, level: test.level) == test.codec)
    }

    @Test("a level that gzip has not is refused with its range", arguments: [-3, 10, .min, .max])
    func otherLevels(level: Int) {
        let error = #expect(throws: CompressionError.self) { try Codec(engine: "pgzip", level: level) }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("--compression-level=\(level)") == true)
        #expect(error?.message.contains("-2 to 9") == true)
    }

    @Test(
        "known engines that this build lacks are refused, writing and reading",
        arguments: ["lz4", "zstd", "external"]
    )
    func notYet(engine: String) {
        let writing = #expect(throws: CompressionError.self) { try Codec(engine: engine, level: 1) }
        #expect(writing?.message.contains("use pargzip or pgzip") == true)
        let reading = #expect(throws: CompressionError.self) { try Codec(readingEngine: engine) }
        #expect(reading?.message.contains(engine) == true)
    }

    @Test("an unknown engine is refused in Vitess's words")
    func unknown() {
        let error = #expect(throws: CompressionError.self) { try Codec(engine: "bzip2", level: 1) }
        #expect(
            error?.message
                == "unsupported engine value for --compression-engine-name. supported values are 'external', 'pgzip', 'pargzip', 'zstd', 'lz4' value: \"bzip2\""
        )
        #expect(
            #expect(throws: CompressionError.self) { try Codec(readingEngine: "bzip2") }?.message
                == "unsupported engine in MANIFEST: \"bzip2\""
        )
    }

    @Test("both names of gzip are read", arguments: ["pargzip", "pgzip"])
    func reading(engine: String) throws {
        guard case .gzip = try Codec(readingEngine: engine) else {
            Issue.record("\(engine) is gzip")
            return
        }
    }
}
