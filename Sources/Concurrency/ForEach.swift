/// Runs `body` once per item, at most `limit` at a time; the first error cancels the rest and is thrown.
package func forEach<Items: Sequence>(
    in items: Items,
    atMost limit: Int,
    _ body: @escaping @Sendable (Items.Element) async throws -> Void
) async throws where Items.Element: Sendable {
    precondition(limit > 0, "a limit below one would never run anything")
    try await withThrowingTaskGroup(of: Void.self) { group in
        for (index, item) in items.enumerated() {
            if index >= limit { try await group.next() }
            group.addTask { try await body(item) }
        }
        // One by one: `waitForAll` would go on waiting after an error, without cancelling anything.
        while try await group.next() != nil {}
    }
}
