/// A step did not end within its time.
package struct DeadlineExceeded: Error, Sendable, CustomStringConvertible {
    package let description: String

    /// Creates the error for `operation`, named as an operator would.
    package init(operation: String) {
        description = "deadline exceeded: \(operation)"
    }
}

/// Runs `body`, cancelling it after `limit`.
///
/// Returns only when `body` has returned: a body that ignores cancellation is waited for.
/// - Throws: ``DeadlineExceeded`` when the time was up, whatever `body` threw then; else the error of `body`.
package func withDeadline<Result: Sendable>(
    _ limit: Duration,
    operation: String,
    _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next(), let result = first else {
            group.cancelAll()
            // The body may finish in the very moment: its result then counts.
            while let late = try? await group.next() {
                if let result = late { return result }
            }
            throw DeadlineExceeded(operation: operation)
        }
        return result
    }
}
