/// Runs `body` and then `cleanup`, on success, on error and on cancellation alike.
///
/// `cleanup` is shielded: it sees no cancellation. The error of `body` wins over one of `cleanup`.
package func withCleanup<Result: Sendable>(
    _ body: () async throws -> Result,
    cleanup: @escaping @Sendable () async throws -> Void
) async throws -> Result {
    let result: Result
    do {
        result = try await body()
    } catch {
        try? await shielded(cleanup)
        throw error
    }
    try await shielded(cleanup)
    return result
}

/// Runs `body` to its end even when the current task is cancelled meanwhile.
///
/// One of the two unstructured tasks of this code base, with that of `withLastingHelper`: it is awaited at once, so nothing
/// outlives the call.
package func shielded<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
    try await Task { try await body() }.value
}
