import Synchronization

/// Copies files, `lanes` at once: each lane takes the largest that is left, but the last one the smallest.
///
/// Large files keep the cores busy, small ones mostly wait for a disk or a store to confirm them: so both are in use from
/// the beginning on. And no large file begins last, which matters most when it can only be decoded in order.
/// - Parameters:
///   - files: each is copied once; of files of the same size the earlier is taken for the larger one.
///   - lanes: files open at once; at least one.
///   - size: bytes of a file, the same for all when they are not known; `nil` for one that is not copied.
///   - copy: copies one file, which it gets with its index.
/// - Throws: the first error of `copy`, which cancels the rest.
func forEachFile<File: Sendable>(
    _ files: [File],
    lanes: Int,
    size: (File) -> Int64?,
    _ copy: @escaping @Sendable (Int, File) async throws -> Void
) async throws {
    precondition(lanes > 0, "without a lane nothing would ever be copied")
    let queue = FileQueue(files, size)
    try await withThrowingTaskGroup(of: Void.self) { group in
        // A lane is a task of its own: it takes its next file as soon as the last is done, whatever the others do.
        for lane in 1...lanes {
            group.addTask {
                while let index = queue.next(smallest: lane > 1 && lane == lanes) {
                    try Task.checkCancellation()
                    try await copy(index, files[index])
                }
            }
        }
        // One by one: `waitForAll` would go on waiting after an error, without cancelling anything.
        while try await group.next() != nil {}
    }
}

/// What is left to copy, the largest first.
private final class FileQueue: Sendable {
    private let indices: Mutex<ArraySlice<Int>>

    init<File>(_ files: [File], _ size: (File) -> Int64?) {
        let sizes = files.map(size)
        let copied = files.indices.filter { sizes[$0] != nil }
        indices = Mutex(copied.sorted { (sizes[$1] ?? 0, $0) < (sizes[$0] ?? 0, $1) }[...])
    }

    func next(smallest: Bool) -> Int? { indices.withLock { smallest ? $0.popLast() : $0.popFirst() } }
}
