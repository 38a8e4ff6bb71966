import Logging
import Positions
import Topology

/// Keeps transactions that the primary does not have from being carried on from backup to backup.
///
/// Whoever restores a backup that holds such a transaction cannot become a primary, and may have data that nobody else has.
struct ErrantTransactions: Sendable {
    let primary: ShardPrimary
    /// `--allow-errant-gtids`: look, say, and go on.
    let allowed: Bool
    let logger: Logger

    /// What `position` has and the primary lacks.
    /// - Parameters:
    ///   - position: of a backup or of our server.
    ///   - what: names it in messages.
    ///   - known: a position of the primary that was asked for after `position` came to be; `nil`: it is asked now.
    /// - Returns: why `position` must not be used; `nil` when it may.
    /// - Throws: what asking the primary throws.
    func refusal(of position: Position, what: String, primary known: Position? = nil) async throws -> String? {
        let theirs = if let known { known } else { try await primary.position(of: try await primary.tablet()) }
        guard let errant = position.errant(against: theirs), !errant.isEmpty else { return nil }
        let holders = await primary.replicaPositions().filter { $0.position.isAtLeast(errant) }.map {
            "\($0.tablet.alias)"
        }
        let alias = (try? await primary.tablet()).map { " \($0.alias)" } ?? ""
        let also = holders.isEmpty ? "" : "; \(holders.joined(separator: ", ")) has them too"
        let text =
            "\(what) holds transactions that the primary\(alias) does not have: \(errant.text)\(also)"
        guard !allowed else {
            logger.warning("\(text); going on because of --allow-errant-gtids")
            return nil
        }
        return text
    }

    /// The error of a backup that would carry them on.
    static func poisoned(_ refusal: String) -> WorkflowError {
        WorkflowError(
            .refused,
            "not taking backup: \(refusal); HINT: whoever restores it could not become a primary; see where they come from, or give --allow-errant-gtids"
        )
    }
}
