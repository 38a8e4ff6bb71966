import Testing

@testable import Positions

@Suite("GTID sets: SID blocks")
struct GTIDSetSIDBlockTests {
    /// Little endian, 8 bytes.
    private func word(_ value: Int64) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }

    @Test("Layout: servers, then 16 bytes, number of intervals and half-open intervals of each")
    func layout() throws {
        let set = try GTIDSet(Sample.text("V:9,U0:1-5:7"))
        var expected = word(2)
        expected += Array(0...15) + word(2) + word(1) + word(6) + word(7) + word(8)
        expected += [0xff, 0xff, 0xff, 0xff, 0, 0, 0x11, 0x11, 0x22, 0x22] + [UInt8](repeating: 0x33, count: 6)
        expected += word(1) + word(9) + word(10)
        #expect(try set.sidBlock() == expected)
        #expect(try GTIDSet(sidBlock: expected) == set)
    }

    @Test("Comes back", arguments: ["", "U:1", "U0:1-5:7,U:3-9223372036854775806,V:2"])
    func roundTrip(_ pattern: String) throws {
        let set = try GTIDSet(Sample.text(pattern))
        #expect(try GTIDSet(sidBlock: set.sidBlock()) == set)
    }

    @Test("Random sets come back", arguments: 1...10 as ClosedRange<UInt64>)
    func randomRoundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let intervals = (0..<200).map { _ -> String in
            let first = Int64.random(in: 1...5_000, using: &generator)
            return "\(first)-\(first + Int64.random(in: 0...20, using: &generator))"
        }
        let set = try GTIDSet("\(Sample.u):\(intervals.joined(separator: ":")),\(Sample.v):\(intervals[0])")
        #expect(try GTIDSet(sidBlock: set.sidBlock()) == set)
    }

    @Test("Repeated servers and touching intervals are merged, servers without intervals dropped")
    func merges() throws {
        let server = [UInt8](0...15)
        let twice = word(2) + server + word(1) + word(1) + word(3) + server + word(1) + word(3) + word(5)
        #expect(try GTIDSet(sidBlock: twice).description == Sample.u0 + ":1-4")
        #expect(try GTIDSet(sidBlock: word(1) + server + word(0)).isEmpty)
    }

    @Test("Tags do not fit into the format")
    func tags() throws {
        let set = try GTIDSet(Sample.text("U:1:a:1"))
        #expect(throws: PositionError("a GTID set with tags has no SID block: " + Sample.text("U:1:a:1"))) {
            try set.sidBlock()
        }
    }

    struct Hostile: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var words: [Int64]
        var tail: [UInt8] = []
        var message: String
    }

    @Test(
        "A block that lies is refused before anything is allocated for it",
        arguments: [
            Hostile(testDescription: "empty", words: [], message: "truncated at byte 0"),
            Hostile(
                testDescription: "cut in the first number",
                words: [],
                tail: [1, 0, 0],
                message: "truncated at byte 0"
            ),
            Hostile(testDescription: "a server too many", words: [1], message: "1 servers do not fit"),
            Hostile(
                testDescription: "two servers in the space of one",
                words: [2, 1, 2, 0],
                message: "2 servers do not fit"
            ),
            Hostile(
                testDescription: "2^64-1 servers",
                words: [-1, 1, 2, 0],
                message: "18446744073709551615 servers do not fit"
            ),
            Hostile(
                testDescription: "an interval too many",
                words: [1, 1, 2, 1, 5],
                message: "1 intervals do not fit"
            ),
            Hostile(
                testDescription: "2^64-1 intervals",
                words: [1, 1, 2, -1],
                message: "18446744073709551615 intervals do not fit"
            ),
            Hostile(testDescription: "an interval from 0", words: [1, 1, 2, 1, 0, 5], message: "interval 0..<5"),
            Hostile(testDescription: "an empty interval", words: [1, 1, 2, 1, 5, 5], message: "interval 5..<5"),
            Hostile(testDescription: "a reversed interval", words: [1, 1, 2, 1, 6, 5], message: "interval 6..<5"),
            Hostile(
                testDescription: "an interval beyond 63 bits",
                words: [1, 1, 2, 1, 1, -1],
                message: "interval 1..<18446744073709551615"
            ),
            Hostile(testDescription: "bytes behind the end", words: [0], tail: [0], message: "1 bytes too many"),
            Hostile(
                testDescription: "cut behind the second server",
                words: [2, 1, 2, 1, 1, 2, 1],
                tail: [0],
                message: "truncated at byte 48"
            ),
        ]
    )
    func hostile(_ sample: Hostile) {
        let block = sample.words.flatMap(word) + sample.tail
        #expect(throws: PositionError("invalid SID block: " + sample.message)) { try GTIDSet(sidBlock: block) }
    }

    @Test("No cut of a good block is a good block")
    func everyCut() throws {
        let block = try GTIDSet(Sample.text("U0:1-5:7,U:3-9")).sidBlock()
        for length in 0..<block.count {
            #expect(throws: PositionError.self, "\(length) bytes") {
                try GTIDSet(sidBlock: Array(block.prefix(length)))
            }
        }
    }
}
