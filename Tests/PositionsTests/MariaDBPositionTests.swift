import Testing

@testable import Positions

@Suite("MariaDB positions")
struct MariaDBPositionTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var input: String
        var expected: String
        var testDescription: String { "\"\(input)\"" }

        init(_ input: String, _ expected: String) {
            (self.input, self.expected) = (input, expected)
        }
    }

    @Test(
        "Parse and print",
        arguments: [
            Case("", ""),
            Case("0-41983-20", "0-41983-20"),
            Case("2-1-5,0-1-10", "0-1-10,2-1-5"),
            Case("10-1-5,9-1-5", "9-1-5,10-1-5"),
            Case(" 0-1-10 ,\n1-2-3 ", "0-1-10,1-2-3"),
            Case("0-1-10,0-2-7", "0-2-7"),
            Case("4294967295-4294967295-18446744073709551615", "4294967295-4294967295-18446744073709551615"),
        ]
    )
    func canonical(_ sample: Case) throws {
        let position = try MariaDBPosition(sample.input)
        #expect(position.description == sample.expected)
        #expect(position.isEmpty == sample.expected.isEmpty)
    }

    @Test(
        "Errors",
        arguments: [
            Case("0-1", "invalid MariaDB GTID (0-1): expecting Domain-Server-Sequence"),
            Case("0-1-2-3", "invalid MariaDB GTID (0-1-2-3): expecting Domain-Server-Sequence"),
            Case("0-1-1, x ", "invalid MariaDB GTID (x): expecting Domain-Server-Sequence"),
            Case("a-1-2", "invalid MariaDB GTID Domain ID (a)"),
            Case("4294967296-1-2", "invalid MariaDB GTID Domain ID (4294967296)"),
            Case("0-b-2", "invalid MariaDB GTID Server ID (b)"),
            Case("0--2", "invalid MariaDB GTID Server ID ()"),
            Case("0-1-+2", "invalid MariaDB GTID Sequence number (+2)"),
            Case("0-1-18446744073709551616", "invalid MariaDB GTID Sequence number (18446744073709551616)"),
        ]
    )
    func errors(_ sample: Case) {
        #expect(throws: PositionError(sample.expected)) { try MariaDBPosition(sample.input) }
    }

    @Test("Contains goes by domain and sequence; the server does not matter")
    func contains() throws {
        let mine = try MariaDBPosition("0-1-10,1-1-5")
        #expect(try mine.contains(MariaDBPosition("0-2-10")))
        #expect(try mine != MariaDBPosition("0-2-10,1-1-5"))
        #expect(try mine.contains(MariaDBPosition("")))
        #expect(try !mine.contains(MariaDBPosition("0-1-11")))
        #expect(try !mine.contains(MariaDBPosition("0-1-1,2-1-1")))
        #expect(try !MariaDBPosition("").contains(mine))
    }

    @Test("Union takes the later of each domain")
    func union() throws {
        let (left, right) = (try MariaDBPosition("0-1-10,1-1-5"), try MariaDBPosition("0-2-12,1-2-4,2-1-1"))
        #expect(left.union(right).description == "0-2-12,1-1-5,2-1-1")
        #expect(left.union(right) == right.union(left))
    }
}
