import Testing

@testable import Compression

@Suite("Codec names and levels")
struct CodecTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var engine: String
        var level: Int
        var codec: Codec
        var testDescription: String { "\(engine), level \(level)" }

        init(_ engine: String, _ level: Int, _ codec: Codec) {
            (self.engine, self.level, self.codec) = (engine, level, codec)
        }
    }

    private static let gzip: [Case] = ["pargzip", "pgzip"].flatMap { engine in
        [
            Case(engine, -2, .gzip(level: .isal(0))), Case(engine, -1, .gzip(level: .isal(3))),
            Case(engine, 0, .gzip(level: .stored)), Case(engine, 1, .gzip(level: .isal(1))),
            Case(engine, 2, .gzip(level: .isal(2))), Case(engine, 3, .gzip(level: .isal(3))),
            Case(engine, 6, .gzip(level: .isal(3))), Case(engine, 9, .gzip(level: .isal(3))),
        ]
    }

    private static let others: [Case] = [
        Case("zstd", 1, .zstd(level: 1)), Case("zstd", 2, .zstd(level: 3)), Case("zstd", 3, .zstd(level: 7)),
        Case("zstd", 4, .zstd(level: 11)), Case("lz4", 0, .lz4(level: .fast)), Case("lz4", 1, .lz4(level: .fast)),
        Case("lz4", 2, .lz4(level: .high(2))), Case("lz4", 9, .lz4(level: .high(9))),
    ]

    @Test("levels", arguments: gzip + others)
    func levels(_ test: Case) throws {
        #expect(try Codec(engine: test.engine, level: test.level) == test.codec)
    }

    struct Refusal: Sendable {
        var engine: String
        var levels: [Int]
        var range: String
    }

    @Test(
        "a level that a codec has not is refused with its range",
        arguments: [
            Refusal(engine: "pgzip", levels: [-3, 10, .min, .max], range: "-2 to 9"),
            Refusal(engine: "zstd", levels: [-1, 0, 5, 22], range: "1 to 4"),
            Refusal(engine: "lz4", levels: [-1, 10, .max], range: "0 to 9"),
        ]
    )
    func otherLevels(_ refusal: Refusal) {
        for level in refusal.levels {
            let error = #expect(throws: CompressionError.self) { try Codec(engine: refusal.engine, level: level) }
            #expect(error?.code == .unsupported)
            #expect(error?.message.contains("--compression-level=\(level)") == true)
            #expect(error?.message.contains(refusal.range) == true)
        }
    }

    @Test(
        "an unknown engine, and external without a command, are refused in Vitess's words",
        arguments: ["bzip2", "external"]
    )
    func unknown(engine: String) {
        let error = #expect(throws: CompressionError.self) { try Codec(engine: engine, level: 1) }
        #expect(
            error?.message
                == "unsupported engine value for --compression-engine-name. supported values are 'external', 'pgzip', 'pargzip', 'zstd', 'lz4' value: \"\(engine)\""
        )
    }

    @Test("the block size is gzip's alone")
    func chunkSizes() {
        #expect(Codec.gzip(level: .isal(1)).chunkSize(blockSize: 250_000) == 250_000)
        for codec in [Codec.zstd(level: 1), .lz4(level: .fast)] {
            #expect(codec.chunkSize(blockSize: 250_000) == 1 << 20)
        }
        #expect(Codec.identity.chunkSize(blockSize: 250_000) == 1 << 18)
    }
}
