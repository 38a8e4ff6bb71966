import Testing

@testable import Positions

/// Compares every operation with the plainest model there is: a set of numbers for each server and tag.
@Suite("GTID sets: against a naive model")
struct GTIDSetModelTests {
    private typealias Model = [String: Set<Int>]

    private static let sources = [Sample.u0, Sample.u, Sample.u + ":a", Sample.u + ":tag_2", Sample.v, Sample.v + ":b"]

    /// A random model and one of the many texts that stand for it: unsorted, overlapping, repeated.
    private func sample(_ generator: inout SeededGenerator) -> (model: Model, text: String) {
        var model: Model = [:]
        var elements: [String] = []
        for _ in 0..<Int.random(in: 0...8, using: &generator) {
            guard let source = Self.sources.randomElement(using: &generator) else { continue }
            var element = source
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let first = Int.random(in: 1...40, using: &generator)
                let last = first + Int.random(in: -1...12, using: &generator)
                if first <= last { model[source, default: []].formUnion(first...last) }
                element += first == last ? ":\(first)" : ":\(first)-\(last)"
            }
            elements.append(element)
        }
        return (model, elements.joined(separator: ","))
    }

    /// The numbers of a set, taken from its text by other means than its parser.
    private func numbers(_ set: GTIDSet) throws -> Model {
        var model: Model = [:]
        for element in set.description.split(separator: ",") {
            let fields = element.split(separator: ":")
            let server = String(try #require(fields.first))
            var source = server
            for field in fields.dropFirst() {
                if field.first?.isNumber != true {
                    source = "\(server):\(field)"
                    continue
                }
                let ends = try field.split(separator: "-").map { try #require(Int($0)) }
                let (first, last) = (try #require(ends.first), try #require(ends.last))
                model[source, default: []].formUnion(first...last)
            }
        }
        return model
    }

    private func merged(_ left: Model, _ right: Model, _ combine: (Set<Int>, Set<Int>) -> Set<Int>) -> Model {
        var result: Model = [:]
        for source in Set(left.keys).union(right.keys) {
            let combined = combine(left[source] ?? [], right[source] ?? [])
            if !combined.isEmpty { result[source] = combined }
        }
        return result
    }

    @Test("Parse, print, contains, union, difference, count", arguments: 1...40 as ClosedRange<UInt64>)
    func agrees(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<50 {
            let (left, right) = (sample(&generator), sample(&generator))
            let (a, b) = (try GTIDSet(left.text), try GTIDSet(right.text))
            let pair: Comment = "\(left.text) | \(right.text)"
            try #expect(numbers(a) == left.model, pair)
            try #expect(numbers(a.union(b)) == merged(left.model, right.model) { $0.union($1) }, pair)
            try #expect(numbers(a.subtracting(b)) == merged(left.model, right.model) { $0.subtracting($1) }, pair)
            let contained = right.model.allSatisfy { $0.value.isSubset(of: left.model[$0.key] ?? []) }
            #expect(a.contains(b) == contained, pair)
            #expect(a.union(b).contains(a) && a.contains(a.subtracting(b)), pair)
            #expect(a.count == left.model.values.reduce(0) { $0 + Int64($1.count) }, pair)
            #expect((a == b) == (left.model == right.model), pair)
        }
    }

    @Test(
        "The result of every operation is canonical: its text reads back as itself",
        arguments: 41...50 as ClosedRange<UInt64>
    )
    func canonical(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<50 {
            let (a, b) = (try GTIDSet(sample(&generator).text), try GTIDSet(sample(&generator).text))
            for result in [a, a.union(b), a.subtracting(b)] {
                #expect(try GTIDSet(result.description) == result)
                #expect(result.members.map(\.source) == result.members.map(\.source).sorted())
                for member in result.members {
                    #expect(zip(member.intervals, member.intervals.dropFirst()).allSatisfy { $0.last + 1 < $1.first })
                }
            }
        }
    }
}
