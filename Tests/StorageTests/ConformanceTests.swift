import Storage
import SystemPackage
import TestKit
import Testing

@Suite("Contract of storage", .timeLimit(.minutes(5)))
struct ConformanceTests {
    @Test("in memory", arguments: StorageConformance.checks)
    func inMemory(_ check: StorageConformance.Check) async throws {
        try await check.verify(InMemoryStorage())
    }

    @Test("file", arguments: StorageConformance.checks)
    func file(_ check: StorageConformance.Check) async throws {
        try await withFileStorage { storage, _ in try await check.verify(storage) }
    }

    @Test("metered", arguments: StorageConformance.checks)
    func metered(_ check: StorageConformance.Check) async throws {
        try await check.verify(MeteredStorage(InMemoryStorage()) { _ in })
    }

    @Test("the decorator for faults, without faults", arguments: StorageConformance.checks)
    func faultless(_ check: StorageConformance.Check) async throws {
        try await check.verify(FaultyStorage(InMemoryStorage()))
    }

    @Test("all checks run in one line, each on a fresh store")
    func oneLine() async throws {
        try await StorageConformance.verify { InMemoryStorage() }
    }
}
