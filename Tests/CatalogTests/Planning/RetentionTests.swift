import FoundationEssentials
import Testing

@testable import Catalog

@Suite("Retention: which backups stay")
struct RetentionTests {
    @Test("Golden scenarios", arguments: try RetentionScenario.names())
    func golden(_ name: String) throws {
        let scenario = try RetentionScenario(name)
        let plan = Retention(scenario.backups, policy: scenario.policy, now: scenario.now)
        #expect(RetentionScenario.render(plan) == scenario.expected)
    }

    @Test("There are scenarios, and their backups are oldest first, as storage lists them")
    func scenarios() throws {
        let names = try RetentionScenario.names()
        #expect(names.count == 24)
        for name in names {
            let listed = try RetentionScenario(name).backups.map(\.name)
            #expect(listed == listed.sorted(), "\(name)")
        }
    }

    @Test("The default policy removes nothing")
    func defaultPolicy() throws {
        let backups = try (1...9).map { try SampleBackup.full("2020-01-0\($0).000000.zone1-1", at: "1-\($0)") }
        let plan = Retention(backups, policy: Retention.Policy(), now: try SampleBackup.moment("2026-04-10T00:00:00Z"))
        #expect(plan.removals.isEmpty)
        #expect(plan.verdicts.map(\.name) == backups.map(\.name))
    }
}
