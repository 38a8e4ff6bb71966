/// Runs `body` beside helpers, which end with it.
///
/// A helper that returns leaves `body` alone; one that throws cancels it. All have returned when this does.
/// - Throws: the first error of any of them.
package func withHelpers<Result: Sendable>(
    _ helpers: [@Sendable () async throws -> Void],
    body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result?.self) { group in
        for helper in helpers {
            // A child each: one that waits must hold up no other.
            group.addTask {
                try await helper()
                return nil
            }
        }
        // A child too, so that a helper that throws cancels it.
        group.addTask { try await body() }
        defer { group.cancelAll() }
        while let next = try await group.next() {
            if let result = next { return result }
        }
        throw CancellationError()
    }
}

/// Runs `body` beside a helper that outlives cancellation: it goes on while a `body` that was cancelled cleans up, and is
/// cancelled when that has returned.
/// - Parameters:
///   - executor: where the helper runs.
///   - helper: one that throws cancels `body`.
///   - body: the work.
/// - Returns: what `body` returns.
/// - Throws: the first error of either.
package func withLastingHelper<Result: Sendable>(
    on executor: (any TaskExecutor)? = nil,
    _ helper: @escaping @Sendable () async throws -> Void,
    body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    // Unstructured, since cancellation goes down to every child; awaited by one, so that nothing outlives the call.
    let lasting = Task(executorPreference: executor) { try await helper() }
    let awaiting: @Sendable () async throws -> Void = {
        do {
            try await lasting.value
        } catch {
            // Once cancelled, which only the end of the body does, nobody needs it.
            if !lasting.isCancelled { throw error }
        }
    }
    return try await withHelpers([awaiting]) {
        defer { lasting.cancel() }
        return try await body()
    }
}
