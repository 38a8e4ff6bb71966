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

    /// Global variables of its mysqld by their names, as far as it has them; `nil`: it cannot be asked for any.
    ///
    /// One attempt within a minute.
    /// - Throws: any error.
    func settings(_ names: [String], of tablet: TabletRecord) async throws -> [String: String]?
}

extension PrimaryTablet {
    package func purgedPosition(of tablet: TabletRecord) async throws -> Position? { nil }

    package func settings(_ names: [String], of tablet: TabletRecord) async throws -> [String: String]? { nil }
}

/// A primary whose tablet is asked for its position, and its mysqld for its settings, and for what the tablet does not tell.
package struct PrimaryAndMysqld: PrimaryTablet {
    private let tablet: any PrimaryTablet
    private let mysqld: any PrimaryTablet

    /// Asks each for its own.
    package init(tablet: any PrimaryTablet, mysqld: any PrimaryTablet) {
        (self.tablet, self.mysqld) = (tablet, mysqld)
    }

    package func position(of tablet: TabletRecord) async throws -> Position {
        try await self.tablet.position(of: tablet)
    }

    package func purgedPosition(of tablet: TabletRecord) async throws -> Position? {
        do {
            if let purged = try await self.tablet.purgedPosition(of: tablet) { return purged }
        } catch {
            // An older tablet does not know the question; mysqld's answer, or why there is none, counts then.
            try Task.checkCancellation()
        }
        return try await mysqld.purgedPosition(of: tablet)
    }

    package func settings(_ names: [String], of tablet: TabletRecord) async throws -> [String: String]? {
        try await mysqld.settings(names, of: tablet)
    }
}

/// The primary refused for good.
package struct PrimaryError: Error, Sendable, CustomStringConvertible {
    package let description: String

    /// Creates an error that ends the pass.
    package init(_ description: String) {
        self.description = description
    }
}
