import Testing

@testable import ServerAssembly

@Suite("memory budget")
struct MemoryBudgetTests {
    @Test("is the operator's, else the standard, else a quarter of a small cgroup, and never too little to work")
    func total() {
        #expect(MemoryBudget(given: 1 << 30, cgroupLimit: 1 << 28).total == 1 << 30)
        #expect(MemoryBudget(given: nil, cgroupLimit: nil).total == 256 << 20)
        #expect(MemoryBudget(given: nil, cgroupLimit: 8 << 30).total == 256 << 20)
        #expect(MemoryBudget(given: nil, cgroupLimit: 512 << 20).total == 128 << 20)
        #expect(MemoryBudget(given: nil, cgroupLimit: 64 << 20).total == 96 << 20)
    }

    @Test("leaves half of what is not overhead for data in flight")
    func flight() {
        #expect(MemoryBudget(given: nil, cgroupLimit: nil).flight == 96 << 20)
        #expect(MemoryBudget(given: nil, cgroupLimit: 0).flight == 16 << 20)
    }
}
