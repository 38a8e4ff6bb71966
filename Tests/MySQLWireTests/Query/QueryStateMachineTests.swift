import NIOCore
import Testing

@testable import MySQLWire

@Suite("The answer to a statement")
struct QueryStateMachineTests {
    private typealias Packets = ServerPackets

    private func machine(deprecatesEOF: Bool, limits: QueryStateMachine.Limits = .init()) -> QueryStateMachine {
        QueryStateMachine(capabilities: deprecatesEOF ? [.deprecateEOF] : [], limits: limits)
    }

    /// The packets of one result with rows.
    private func rows(
        _ columns: [String],
        _ rows: [[String?]],
        deprecatesEOF: Bool,
        moreResults: Bool = false
    ) -> [ByteBuffer] {
        [Packets.columnCount(UInt8(columns.count))] + columns.map { Packets.column($0) }
            + (deprecatesEOF ? [] : [Packets.eof()]) + rows.map { Packets.row($0) }
            + [deprecatesEOF ? Packets.okAfterRows(moreResults: moreResults) : Packets.eof(moreResults: moreResults)]
    }

    /// Feeds all packets; only the last one may complete the answer.
    private func answer(_ packets: [ByteBuffer], _ machine: QueryStateMachine) throws -> [ResultSet]? {
        var machine = machine
        for packet in packets.dropLast() { #expect(try machine.received(packet) == nil) }
        return try packets.last.flatMap { packet in try machine.received(packet) }
    }

    @Test("rows with NULL and empty text", arguments: [true, false])
    func rows(deprecatesEOF: Bool) throws {
        let expected: [[String?]] = [["1", nil], [nil, ""], [nil, nil], ["a\0b", "ä"]]
        let packets = rows(["id", "name"], expected, deprecatesEOF: deprecatesEOF)
        let results = try #require(try answer(packets, machine(deprecatesEOF: deprecatesEOF)))
        #expect(results.count == 1)
        #expect(results[0].columns == ["id", "name"])
        #expect(results[0].rows == expected)
    }

    @Test("no rows", arguments: [true, false])
    func noRows(deprecatesEOF: Bool) throws {
        let packets = rows(["a"], [], deprecatesEOF: deprecatesEOF)
        let results = try #require(try answer(packets, machine(deprecatesEOF: deprecatesEOF)))
        #expect(results.map(\.columns) == [["a"]])
        #expect(results[0].rows.isEmpty)
    }

    @Test("a change tells how many rows it affected")
    func change() throws {
        let results = try answer([Packets.ok(affectedRows: 7)], machine(deprecatesEOF: true))
        #expect(results?.map(\.affectedRows) == [7])
        #expect(results?[0].columns == [])
    }

    @Test("several results, with rows and without", arguments: [true, false])
    func severalResults(deprecatesEOF: Bool) throws {
        let packets =
            [Packets.ok(affectedRows: 1, moreResults: true)]
            + rows(["a"], [["1"]], deprecatesEOF: deprecatesEOF, moreResults: true)
            + rows(["b", "c"], [["2", "3"]], deprecatesEOF: deprecatesEOF, moreResults: true)
            + [Packets.ok(affectedRows: 2)]
        let results = try #require(try answer(packets, machine(deprecatesEOF: deprecatesEOF)))
        #expect(results.map(\.columns) == [[], ["a"], ["b", "c"], []])
        #expect(results.map(\.rows) == [[], [["1"]], [["2", "3"]], []])
        #expect(results.map(\.affectedRows) == [1, 0, 0, 2])
    }

    @Test("the server's error is thrown, at the beginning and between rows", arguments: [true, false])
    func serverError(deprecatesEOF: Bool) throws {
        var first = machine(deprecatesEOF: deprecatesEOF)
        let atOnce = #expect(throws: MySQLWireError.self) { try first.received(Packets.error(1064, "42000", "syntax")) }
        #expect(atOnce == MySQLWireError(.server(errno: 1064, sqlState: "42000"), "syntax"))
        var second = machine(deprecatesEOF: deprecatesEOF)
        for packet in rows(["a"], [["1"], ["2"]], deprecatesEOF: deprecatesEOF).dropLast() {
            _ = try second.received(packet)
        }
        let later = #expect(throws: MySQLWireError.self) {
            try second.received(Packets.error(1317, "70100", "interrupted"))
        }
        #expect(later?.serverErrno == 1317)
    }

    @Test("an error in the second of two statements is thrown, not half an answer")
    func errorInSecond() throws {
        var machine = machine(deprecatesEOF: true)
        #expect(try machine.received(Packets.ok(moreResults: true)) == nil)
        #expect(#expect(throws: MySQLWireError.self) { try machine.received(Packets.error(1146)) }?.serverErrno == 1146)
    }

    @Test("as many rows as the limit are fine, one more is an error", arguments: [true, false])
    func rowLimit(deprecatesEOF: Bool) throws {
        let limits = QueryStateMachine.Limits(rows: 3, bytes: 1 << 20)
        let three = rows(["a"], [["1"], ["2"], ["3"]], deprecatesEOF: deprecatesEOF)
        let results = try answer(three, machine(deprecatesEOF: deprecatesEOF, limits: limits))
        #expect(results?[0].rows.count == 3)
        var machine = machine(deprecatesEOF: deprecatesEOF, limits: limits)
        for packet in three.dropLast() { _ = try machine.received(packet) }
        let error = #expect(throws: MySQLWireError.self) { try machine.received(Packets.row(["4"])) }
        #expect(error == MySQLWireError(.resultTooLarge, "the result has more than 3 rows"))
    }

    @Test("the limit on rows is for all results together")
    func rowLimitOfAll() throws {
        var machine = machine(deprecatesEOF: true, limits: .init(rows: 3, bytes: 1 << 20))
        for packet in rows(["a"], [["1"], ["2"]], deprecatesEOF: true, moreResults: true) {
            _ = try machine.received(packet)
        }
        for packet in rows(["a"], [["3"]], deprecatesEOF: true).dropLast() { _ = try machine.received(packet) }
        #expect(
            #expect(throws: MySQLWireError.self) { try machine.received(Packets.row(["4"])) }?.code == .resultTooLarge
        )
    }

    @Test("the limits are 10,000 rows and 64 MiB")
    func defaultLimits() throws {
        #expect(QueryStateMachine.Limits() == QueryStateMachine.Limits(rows: 10_000, bytes: 67_108_864))
    }

    @Test("bytes beyond the limit are an error", arguments: [true, false])
    func byteLimit(deprecatesEOF: Bool) throws {
        let packets = rows(["a"], [[String(repeating: "x", count: 200)]], deprecatesEOF: deprecatesEOF)
        let total = packets.reduce(0) { $0 + $1.readableBytes }
        let exact = QueryStateMachine.Limits(rows: 10, bytes: total)
        #expect(try answer(packets, machine(deprecatesEOF: deprecatesEOF, limits: exact))?.count == 1)
        var machine = machine(deprecatesEOF: deprecatesEOF, limits: .init(rows: 10, bytes: total - 1))
        for packet in packets.dropLast() { _ = try machine.received(packet) }
        let error = #expect(throws: MySQLWireError.self) { try machine.received(packets[packets.count - 1]) }
        #expect(error == MySQLWireError(.resultTooLarge, "the result has more than \(total - 1) bytes"))
    }

    @Test("a value that begins with 0xfe is a row, however long the packet")
    func rowLikeEnd() throws {
        // A length of 8 bytes begins with 0xfe as an end does; only such a long packet is a row.
        let value = String(repeating: "x", count: 0x100_0000)
        var row = ByteBuffer()
        row.writeLengthEncodedBytes(Array(value.utf8))
        for deprecatesEOF in [true, false] {
            var packets = rows(["a"], [], deprecatesEOF: deprecatesEOF)
            packets.insert(row, at: packets.count - 1)
            let results = try answer(packets, machine(deprecatesEOF: deprecatesEOF))
            #expect(results?[0].rows.count == 1)
            #expect(results?[0].scalar?.utf8.count == 0x100_0000)
        }
    }

    @Test("a request for a local file is refused")
    func localFile() {
        var machine = machine(deprecatesEOF: true)
        let error = #expect(throws: MySQLWireError.self) {
            try machine.received(ByteBuffer(bytes: [0xfb] + Array("/etc/passwd".utf8)))
        }
        #expect(error?.code == .protocolViolation)
        #expect(error?.message.contains("local file") == true)
    }

    struct Nonsense: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var packets: [ByteBuffer]
    }

    @Test(
        "what is no answer ends the conversation",
        arguments: [
            Nonsense(testDescription: "an empty packet", packets: [ByteBuffer()]),
            Nonsense(testDescription: "half an OK", packets: [ByteBuffer(bytes: [0, 1])]),
            Nonsense(testDescription: "far too many columns", packets: [ByteBuffer(bytes: [0xfd, 0xff, 0xff, 0xff])]),
            Nonsense(testDescription: "half a column", packets: [Packets.columnCount(1), ByteBuffer(bytes: [3, 65])]),
            Nonsense(
                testDescription: "columns that do not end",
                packets: [Packets.columnCount(1), Packets.column("a"), Packets.column("b")]
            ),
            Nonsense(
                testDescription: "a row with too few values",
                packets: [
                    Packets.columnCount(2), Packets.column("a"), Packets.column("b"), Packets.eof(), Packets.row(["1"]),
                ]
            ),
            Nonsense(
                testDescription: "half an end",
                packets: [Packets.columnCount(1), Packets.column("a"), Packets.eof(), ByteBuffer(bytes: [0xfe, 0])]
            ),
        ]
    )
    func nonsense(_ test: Nonsense) throws {
        var machine = machine(deprecatesEOF: false)
        for packet in test.packets.dropLast() { _ = try machine.received(packet) }
        let error = #expect(throws: MySQLWireError.self) { try machine.received(test.packets[test.packets.count - 1]) }
        #expect(error?.code == .protocolViolation)
    }
}
