import Testing

@testable import Positions

@Suite("GTID sets: operations")
struct GTIDSetTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var left: String
        var right: String
        var result: String
        var testDescription: String { "\(left) | \(right)" }

        init(_ left: String, _ right: String, _ result: String = "") {
            (self.left, self.right, self.result) = (left, right, result)
        }
    }

    private func set(_ pattern: String) throws -> GTIDSet { try GTIDSet(Sample.text(pattern)) }

    @Test(
        "Contains, and not the other way round",
        arguments: [
            Case("U:1-10", "U:1-5"),
            Case("U:1-10", ""),
            Case("U:20-30:35-40", "U:30"),
            Case("U:1-10,V:1", "V:1"),
            Case("U0:1,U:1-10,V:1", "U0:1,V:1"),
            Case("U:1-3:5-9", "U:2:6-7"),
            Case("U:1:a:1-2", "U:a:2"),
            Case("U:1:a:1-2:b:1", "U:1:b:1"),
        ]
    )
    func contains(_ sample: Case) throws {
        let (big, small) = (try set(sample.left), try set(sample.right))
        #expect(big.contains(small))
        #expect(!small.contains(big))
        #expect(big.contains(big))
    }

    @Test(
        "Does not contain",
        arguments: [
            Case("U:20-30:35-40", "U:31"),
            Case("U:1-3:5-9", "U:3-5"),
            Case("U:1-10", "U:10-11"),
            Case("U:1-10", "V:1"),
            Case("V:1-10", "U:1"),
            Case("U:1-10", "U:a:1"),
            Case("U:a:1-10", "U:1"),
            Case("U:a:1-10", "U:b:1"),
            Case("", "U:1"),
        ]
    )
    func doesNotContain(_ sample: Case) throws {
        #expect(try !set(sample.left).contains(set(sample.right)))
    }

    @Test("Parts that touch are one: Vitess denies both")
    func coalesced() throws {
        #expect(try set("U:1-5:6-10") == set("U:1-10"))
        #expect(try set("U:1-5:6-10").contains(set("U:1-10")))
    }

    @Test(
        "Union",
        arguments: [
            Case("U:1-3", "U:4-6", "U:1-6"),
            Case("U:1-5", "U:6", "U:1-6"),
            Case("U:1-5:10-12", "U:3-11", "U:1-12"),
            Case("U:1-5", "U:7", "U:1-5:7"),
            Case("U:1-5", "", "U:1-5"),
            Case("U:1,V:2", "U0:3,U:2", "U0:3,U:1-2,V:2"),
            Case("U:1", "U:a:1", "U:1:a:1"),
            Case("U:b:1-3", "U:a:2:b:4", "U:a:2:b:1-4"),
        ]
    )
    func union(_ sample: Case) throws {
        let (left, right) = (try set(sample.left), try set(sample.right))
        #expect(left.union(right).description == Sample.text(sample.result))
        #expect(left.union(right) == right.union(left))
    }

    @Test(
        "Difference",
        arguments: [
            Case("U:1-7", "U:3-4", "U:1-2:5-7"),
            Case("U:1-7", "U:1-7", ""),
            Case("U:1-7", "U:1-9", ""),
            Case("U:1-7", "U:7-9", "U:1-6"),
            Case("U:3-7", "U:1-3", "U:4-7"),
            Case("U:1-10", "U:2:4:6-8", "U:1:3:5:9-10"),
            Case("U:1-3:5-7:9-11", "U:3-9", "U:1-2:10-11"),
            Case("U:1-2:4-5:7-8", "U:1-5", "U:7-8"),
            Case("U:1-7", "V:1-7", "U:1-7"),
            Case("U0:1,U:2,V:3", "U:2", "U0:1,V:3"),
            Case("", "U:1", ""),
            Case("U:1-3:a:1-3", "U:2", "U:1:3:a:1-3"),
            Case("U:1-3:a:1-3", "U:a:1-2", "U:1-3:a:3"),
        ]
    )
    func difference(_ sample: Case) throws {
        #expect(try set(sample.left).subtracting(set(sample.right)).description == Sample.text(sample.result))
    }

    @Test("The highest number does not overflow when intervals are joined or cut")
    func highestNumber() throws {
        let high = try set("U:9223372036854775800-9223372036854775806")
        #expect(high.union(high) == high)
        #expect(
            try high.subtracting(set("U:1-9223372036854775805")).description == Sample.text("U:9223372036854775806")
        )
        #expect(high.subtracting(high).isEmpty)
    }

    @Test("Counts transactions over servers and tags, and saturates")
    func count() throws {
        #expect(try set("").count == 0)
        #expect(try set("U:1-10:12,V:5:a:1-3").count == 15)
        #expect(try set("U:1-9223372036854775806,V:1-9223372036854775806").count == .max)
    }

    @Test("Counts intervals and names each server once")
    func servers() throws {
        let mixed = try set("V:1:a:1,U:1:3:a:1-3:b:5")
        #expect(mixed.intervalCount == 6)
        #expect(mixed.servers.map(\.description) == [Sample.u, Sample.v])
    }
}
