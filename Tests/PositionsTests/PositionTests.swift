import Testing

@testable import Positions

@Suite("Encoded positions")
struct PositionTests {
    @Test(
        "Comes back as it was",
        arguments: [
            "MySQL56/16b1039f-22b6-11ed-b765-0a43f95f28a3:1-615", "MariaDB/0-41983-20", "FilePos/vt-bin.000001:123",
            "MySQL56/",
        ]
    )
    func roundTrip(_ encoded: String) throws {
        let position = try #require(try Position.decode(encoded))
        #expect(position.encoded == encoded)
        #expect(position.flavor.rawValue + "/" + position.description == encoded)
    }

    @Test("Each flavor is its own kind")
    func kinds() throws {
        #expect(try Position.decode("MySQL56/" + Sample.u + ":1") == .mysql56(GTIDSet(Sample.u + ":1")))
        #expect(try Position.decode("MariaDB/0-1-2") == .mariaDB(MariaDBPosition("0-1-2")))
        #expect(try Position.decode("FilePos/a/b.1:2") == .filePosition(FilePosition("a/b.1:2")))
    }

    @Test("The empty text is no position; an empty set is one")
    func emptiness() throws {
        #expect(try Position.decode("") == nil)
        #expect(Position?.none.encoded == "")
        let empty: Position? = try Position.decode("MySQL56/")
        #expect(empty?.isEmpty == true)
        #expect(empty.encoded == "MySQL56/")
    }

    struct Case: CustomTestStringConvertible, Sendable {
        var input: String
        var message: String
        var testDescription: String { input }

        init(_ input: String, _ message: String) {
            (self.input, self.message) = (input, message)
        }
    }

    @Test(
        "Errors",
        arguments: [
            Case("16b1039f-22b6-11ed-b765-0a43f95f28a3:1", "parse error: unknown GTIDSet flavor \"\""),
            Case("/x", "parse error: unknown GTIDSet flavor \"\""),
            Case("mysql56/x", "parse error: unknown GTIDSet flavor \"mysql56\""),
            Case("Oracle/x:1", "parse error: unknown GTIDSet flavor \"Oracle\""),
            Case("MySQL56/x", "invalid MySQL 5.6 GTID set (\"x\"): expected uuid:interval"),
            Case("MySQL56/a/b", "invalid MySQL 5.6 GTID set (\"a/b\"): expected uuid:interval"),
            Case("MariaDB/x", "invalid MariaDB GTID (x): expecting Domain-Server-Sequence"),
            Case("FilePos/x", "invalid FilePos GTID (x): expecting file:pos"),
        ]
    )
    func errors(_ sample: Case) {
        #expect(throws: PositionError(sample.message)) { try Position.decode(sample.input) }
    }

    @Test("A default flavor is for texts without a slash only")
    func defaultFlavor() throws {
        #expect(try Position.decode("0-1-2", defaultFlavor: .mariaDB)?.encoded == "MariaDB/0-1-2")
        #expect(try Position.decode("MySQL56/", defaultFlavor: .mariaDB)?.encoded == "MySQL56/")
        #expect(try Position.decode("", defaultFlavor: .mariaDB) == nil)
    }

    @Test("A MySQL position may come without its flavor")
    func decodeMySQL56() throws {
        let set = try GTIDSet(Sample.u + ":1-5")
        #expect(try Position.decodeMySQL56(Sample.u + ":1-5") == set)
        #expect(try Position.decodeMySQL56("MySQL56/" + Sample.u + ":1-5") == set)
    }

    @Test("But nothing else may be in its place", arguments: ["", "MariaDB/0-1-2", "0-1-2", "Oracle/1"])
    func decodeMySQL56Errors(_ text: String) {
        let message = "\(text): expected MySQL GTID position but found a different or invalid format."
        #expect(throws: PositionError(message)) { try Position.decodeMySQL56(text) }
    }

    private func position(_ encoded: String) throws -> Position? { try Position.decode(Sample.text(encoded)) }

    @Test(
        "At least",
        arguments: [
            Case("MySQL56/U:1-10", "MySQL56/U:1-5"),
            Case("MySQL56/U:1-10", "MySQL56/"),
            Case("MySQL56/", ""),
            Case("MariaDB/0-1-10", "MariaDB/0-2-10"),
            Case("FilePos/b.000002:4", "FilePos/b.000001:9999"),
        ]
    )
    func atLeast(_ sample: Case) throws {
        #expect(try #require(try position(sample.input)).isAtLeast(position(sample.message)))
    }

    @Test(
        "Not at least",
        arguments: [
            Case("MySQL56/U:1-5", "MySQL56/U:1-10"),
            Case("MariaDB/0-1-9", "MariaDB/0-2-10"),
            Case("FilePos/b.000001:9999", "FilePos/b.000002:4"),
            Case("MySQL56/", "MariaDB/"),
            Case("MariaDB/0-1-1", "FilePos/b.000001:4"),
        ]
    )
    func notAtLeast(_ sample: Case) throws {
        #expect(try !#require(try position(sample.input)).isAtLeast(position(sample.message)))
    }
}
