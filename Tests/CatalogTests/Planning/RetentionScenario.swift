import FoundationEssentials
import Testing

@testable import Catalog
@testable import Vocabulary

/// A file of `Fixtures/retention`: policy and backups, a line `---`, then the verdicts and the order of removal.
///
/// Input lines are `now`, `min-retention-time`, `min-retention-count` with their values, and the backups, oldest first:
/// `full NAME POSITION`, `incremental NAME POSITION from POSITION [on NAME]`, `incomplete NAME`.
struct RetentionScenario: CustomTestStringConvertible, Sendable {
    let testDescription: String
    private(set) var backups: [ListedBackup] = []
    private(set) var policy = Retention.Policy()
    private(set) var now = Date(timeIntervalSince1970: 0)
    private(set) var expected = ""

    static func names() throws -> [String] { try Fixture.names(in: "retention") }

    init(_ name: String) throws {
        testDescription = name
        let lines = try Fixture.text("retention/\(name)").split(separator: "\n", omittingEmptySubsequences: false)
        let separator = try #require(lines.firstIndex(of: "---"))
        expected = lines[(separator + 1)...].joined(separator: "\n")
        for line in lines[..<separator] where !line.isEmpty && !line.hasPrefix("#") {
            try read(line.split(separator: " ").map(String.init))
        }
    }

    private mutating func read(_ words: [String]) throws {
        let value = words.count > 1 ? words[1] : ""
        switch (words.first, words.count) {
        case ("now", 2): now = try SampleBackup.moment(value)
        case ("min-retention-time", 2): policy.minimumTime = Double(try GoDuration.parse(value)) / 1e9
        case ("min-retention-count", 2): policy.minimumCount = try #require(Int(value))
        case ("full", 3): backups.append(try SampleBackup.full(value, at: words[2]))
        case ("incremental", 5): backups.append(try SampleBackup.incremental(value, at: words[2], from: words[4]))
        case ("incremental", 7):
            backups.append(try SampleBackup.incremental(value, at: words[2], from: words[4], on: words[6]))
        case ("incomplete", 2): backups.append(SampleBackup.incomplete(value))
        default: Issue.record("\(testDescription): unknown line: \(words.joined(separator: " "))")
        }
    }

    /// A plan in the form of the expected part.
    static func render(_ plan: Retention) -> String {
        var lines = plan.verdicts.map { "\($0.remove ? "remove" : "keep") \($0.name): \($0.reason)" }
        lines += plan.removals.enumerated().map { "\($0.offset + 1). \($0.element.name)" }
        if plan.removals.isEmpty { lines.append("nothing to remove") }
        return lines.joined(separator: "\n") + "\n"
    }
}
