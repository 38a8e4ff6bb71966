import Synchronization

/// Reusable working memory of one kind: at most as many exist as threads use them at once.
package final class Workspaces<Workspace>: Sendable {
    // A workspace is only ever in one place: in this list, or with the one job that took it.
    private struct Shelf: @unchecked Sendable { var free: [Workspace] = [] }

    private let shelf = Mutex(Shelf())
    private let make: @Sendable () -> Workspace

    /// Creates an empty shelf; `make` builds a workspace when none is free.
    package init(_ make: @escaping @Sendable () -> Workspace) {
        self.make = make
    }

    /// Runs a blocking job with a workspace of its own.
    ///
    /// The workspace must not escape `body`.
    package func with<Result>(_ body: (Workspace) throws -> Result) rethrows -> Result {
        let workspace = shelf.withLock { Holder(value: $0.free.popLast()) }.value ?? make()
        defer {
            let holder = Holder(value: Optional(workspace))
            shelf.withLock { shelf in
                if let value = holder.value { shelf.free.append(value) }
            }
        }
        return try body(workspace)
    }

    /// Carries a workspace over the lock's border, see `Shelf`.
    private struct Holder: @unchecked Sendable { var value: Workspace? }
}
