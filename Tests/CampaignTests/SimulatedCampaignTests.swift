import Concurrency
import FoundationEssentials
import Host
import SystemPackage
import TestKit
import Testing

/// Seeded passes under faults, in simulation; `Scripts/soak` runs many more of them.
@Suite("simulated campaign", .timeLimit(.minutes(240)))
struct SimulatedCampaignTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let first = environment["VTB_SOAK_SEED"].flatMap { UInt64($0) } ?? 1
    private static let count = environment["VTB_SOAK_RUNS"].flatMap { UInt64($0) } ?? 60

    private func campaign(
        _ seeds: Range<UInt64>,
        but done: Set<UInt64> = [],
        isHasty: Bool = false,
        each: @escaping @Sendable (SimulatedRun.Outcome) throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            try await BlockingThreads.with(count: 2) { threads in
                try await forEach(in: seeds.filter { !done.contains($0) }, atMost: 2) { seed in
                    let place = folder.appending(String(seed))
                    try FileTree.createDirectory(place, parents: true)
                    try each(try await SimulatedRun.run(seed: seed, in: place, threads: threads, isHasty: isHasty))
                    try FileTree.remove(place)
                }
            }
        }
    }

    @Test("no false success, no stuck pass, nothing left, whatever is injected")
    func promises() async throws {
        let coverage = LockedBox<[SimulatedRun.Stratum: Int]>([:])
        let log = CampaignLog()
        try await campaign(Self.first..<(Self.first + Self.count), but: log.seeds("simulated")) { outcome in
            log.note("simulated \(outcome.line)")
            coverage.update { $0[outcome.stratum, default: 0] += outcome.wasInjected ? 1 : 0 }
            #expect(outcome.violations.isEmpty, "\(outcome.line)")
            #expect(outcome.wasInjected, "\(outcome.line)")
        }
        for stratum in SimulatedRun.Stratum.allCases {
            let hits = coverage.get()[stratum, default: 0]
            // What a resumed campaign has still to do may be little.
            #expect(hits >= Int(Self.count) / 15 || !log.seeds("simulated").isEmpty, "\(stratum)")
        }
    }

    @Test("a MANIFEST that is written before an object is caught within 50 runs")
    func mutation() async throws {
        struct Caught: Error {}
        await #expect(throws: Caught.self) {
            try await campaign(1..<51, isHasty: true) { outcome in
                if !outcome.violations.isEmpty { throw Caught() }
            }
        }
    }
}
