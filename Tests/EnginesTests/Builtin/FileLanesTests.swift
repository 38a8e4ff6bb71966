import Synchronization
import Testing

@testable import Engines

/// Which file is copied when.
@Suite("lanes of files", .timeLimit(.minutes(5)))
struct FileLanesTests {
    private final class Seen: Sendable {
        private let list = Mutex<[Int64]>([])

        func note(_ size: Int64) { list.withLock { $0.append(size) } }

        var sizes: [Int64] { list.withLock { $0 } }
    }

    @Test("every file is copied once", arguments: 1...6, [0, 1, 5, 40])
    func once(lanes: Int, count: Int64) async throws {
        let seen = Seen()
        try await forEachFile(Array(0..<count), lanes: lanes, size: { $0 % 7 }) { seen.note($1) }
        #expect(seen.sizes.sorted() == Array(0..<count))
    }

    @Test("a single lane takes the largest first, and files of one size in their order")
    func largestFirst() async throws {
        let seen = Seen()
        try await forEachFile([12, 30, 11, 20, 31], lanes: 1, size: { $0 / 10 }) { seen.note($1) }
        #expect(seen.sizes == [30, 31, 20, 12, 11])
    }

    @Test("a file without a size is left out, and the others keep their index")
    func leftOut() async throws {
        let seen = Seen()
        try await forEachFile([5, -1, 7], lanes: 1, size: { $0 < 0 ? nil : $0 }) { index, size in
            seen.note(Int64(index))
            seen.note(size)
        }
        #expect(seen.sizes == [2, 7, 0, 5])
    }

    @Test("small files are copied while large ones fill all other lanes")
    func overlap() async throws {
        let seen = Seen()
        let (gate, door) = AsyncStream<Void>.makeStream()
        // As many large ones as there are lanes: none of them ends before all small ones have.
        try await forEachFile([900, 800, 700, 600] + Array(1...30), lanes: 4, size: { $0 }) { _, size in
            if size < 100 {
                seen.note(size)
                if seen.sizes.count == 30 { door.finish() }
            } else {
                for await _ in gate {}
            }
        }
        #expect(seen.sizes == Array(1...30), "the smallest first")
    }

    @Test("the first error stops all lanes and is thrown", arguments: [1, 4])
    func error(lanes: Int) async throws {
        struct Broken: Error {}
        let seen = Seen()
        await #expect(throws: Broken.self) {
            try await forEachFile(Array(0..<100), lanes: lanes, size: { $0 }) { _, size in
                seen.note(size)
                if size == 99 { throw Broken() }
                try await Task.sleep(for: .seconds(3600))
            }
        }
        #expect(seen.sizes.count <= lanes, "nothing was begun after the error")
    }
}
