package import Positions
package import Topology

/// The port to the shard's primary: what a pass asks of it besides its binary log.
package protocol PrimaryTablet: Sendable {
    /// The primary's present position.
    ///
    /// One attempt within a minute; the caller repeats it, reading the topology again, since the primary may move.
    /// - Throws: any error; ``PrimaryError`` when asking again cannot help.
    func position(of tablet: TabletRecord) async throws -> Position

    /// What the primary's binary logs no longer hold, in one attempt.
    /// - Returns: `nil` when it does not tell.
    /// - Throws: any error.
    func purgedPosition(of tablet: TabletRecord) async throws -> Position?
}

extension PrimaryTablet {
    package func purgedPosition(of tablet: TabletRecord) async throws -> Position? { nil }
}

/// The primary refused for good.
package struct PrimaryError: Error, Sendable, CustomStringConvertible {
    package let description: String

    /// Creates an error that ends the pass.
    package init(_ description: String) {
        self.description = description
    }
}
