import Synchronization
import Testing

@testable import Compression

@Suite("Workspaces", .timeLimit(.minutes(5)))
struct WorkspacesTests {
    private final class Table {}
    private struct Failure: Error {}

    private final class Booth {
        private var isOccupied = false

        /// - Returns: whether nobody was inside.
        func enter() -> Bool {
            defer { isOccupied = true }
            return !isOccupied
        }

        func leave() {
            isOccupied = false
        }
    }

    @Test("uses one again and again, also after an error")
    func reuse() {
        let made = Mutex(0)
        let shelf = Workspaces<Table> {
            made.withLock { $0 += 1 }
            return Table()
        }
        let first = shelf.with { ObjectIdentifier($0) }
        #expect(throws: Failure.self) { try shelf.with { _ in throw Failure() } }
        #expect(shelf.with { ObjectIdentifier($0) } == first)
        #expect(made.withLock { $0 } == 1)
    }

    @Test("those in use at the same time are different")
    func nested() {
        let made = Mutex(0)
        let shelf = Workspaces<Table> {
            made.withLock { $0 += 1 }
            return Table()
        }
        for _ in 0..<3 {
            shelf.with { outer in shelf.with { inner in #expect(outer !== inner) } }
        }
        #expect(made.withLock { $0 } == 2)
    }

    @Test("are never shared by tasks that run at once")
    func concurrent() async {
        let made = Mutex(0)
        let shelf = Workspaces<Booth> {
            made.withLock { $0 += 1 }
            return Booth()
        }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    shelf.with { booth in
                        #expect(booth.enter(), "somebody else is inside")
                        booth.leave()
                    }
                }
            }
        }
        #expect(made.withLock { $0 } >= 1)
    }
}
