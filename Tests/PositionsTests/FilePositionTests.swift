import Testing

@testable import Positions

@Suite("File positions")
struct FilePositionTests {
    @Test("Parse and print")
    func roundTrip() throws {
        let position = try FilePosition("vt-bin.000001:123")
        #expect(position.file == "vt-bin.000001")
        #expect(position.offset == 123)
        #expect(position.description == "vt-bin.000001:123")
        #expect(!position.isEmpty)
        #expect(try FilePosition(":0").isEmpty)
    }

    struct Case: CustomTestStringConvertible, Sendable {
        var left: String
        var right: String
        var testDescription: String { "\(left) | \(right)" }

        init(_ left: String, _ right: String) {
            (self.left, self.right) = (left, right)
        }
    }

    @Test(
        "Errors",
        arguments: [
            Case("bin.000001", "invalid FilePos GTID (bin.000001): expecting file:pos"),
            Case("", "invalid FilePos GTID (): expecting file:pos"),
            Case("a:b:1", "invalid FilePos GTID (a:b:1): expecting file:pos"),
            Case("bin.000001:", "invalid FilePos GTID (bin.000001:): expecting pos to be an integer"),
            Case("bin.000001:-4", "invalid FilePos GTID (bin.000001:-4): expecting pos to be an integer"),
            Case("bin.000001:x", "invalid FilePos GTID (bin.000001:x): expecting pos to be an integer"),
            Case(
                "b.1:18446744073709551616",
                "invalid FilePos GTID (b.1:18446744073709551616): expecting pos to be an integer"
            ),
        ]
    )
    func errors(_ sample: Case) {
        #expect(throws: PositionError(sample.right)) { try FilePosition(sample.left) }
    }

    @Test(
        "The later position contains the earlier one, and not the other way round",
        arguments: [
            Case("b.000002:4", "b.000001:9999"),
            Case("b.000001:10", "b.000001:9"),
            Case("b.1000000:4", "b.999999:4"),
            Case("b.000010:4", "b.9:4"),
            Case("vt-0000000102-bin.000012:4", "vt-0000000102-bin.000011:500"),
            Case("c.000001:4", "b.000002:9"),
            Case("b.log:4", "b.a:4"),
        ]
    )
    func later(_ sample: Case) throws {
        let (late, early) = (try FilePosition(sample.left), try FilePosition(sample.right))
        #expect(late.contains(early))
        #expect(!early.contains(late))
        #expect(late.contains(late))
    }
}
