import Catalog
import Concurrency
import Engines
import Logging
import MySQLControl
import Vocabulary

/// Goes on from the newest base from which the primary can be caught up with.
///
/// A backup may be good, and yet hold what keeps the applier from going on: a temporary table that was open, data that has
/// gone apart. Once a pass, the next older one is tried then; both are left as they are.
struct BaseFallback: Sendable {
    let restore: BaseRestore
    let logger: Logger

    /// Restores a base, runs `body` with its manifest, and does so once more with an older base when `body` fails because
    /// of the first one.
    /// - Returns: what `body` returns, and the complete backups that are no good, with the reason.
    /// - Throws: ``WorkflowError``.
    func run<Result: Sendable>(
        _ listed: [ListedBackup],
        on mysqld: any TabletServer,
        claim: TabletClaim,
        _ body: @escaping @Sendable (Manifest) async throws -> Result
    ) async throws -> (Result, rejected: [String: String]) {
        let first = try await restore.run(listed, on: mysqld, claim: claim)
        do {
            return (try await attempt(first, body), first.rejected)
        } catch {
            try Task.checkCancellation()
            guard Self.isOfTheBase(error) else { throw error }
            await note(first.name, error)
            let others = listed.filter { $0.name != first.name }
            guard await restore.hasUsable(others, but: first.rejected, on: mysqld) else { throw error }
            logger.error(
                "backup \(restore.backups.shard)/\(first.name) CANNOT BE CAUGHT UP WITH, falling back to an older one: \(error)"
            )
            try await restore.engine.dataPlane.threads.run { try claim.empty() }
            let second = try await restore.run(others, on: mysqld, claim: claim, known: first.rejected)
            do {
                return (try await attempt(second, body), second.rejected)
            } catch let older {
                try Task.checkCancellation()
                if Self.isOfTheBase(older) { await note(second.name, older) }
                throw older
            }
        }
    }

    private func attempt<Result: Sendable>(
        _ base: BaseRestore.Base,
        _ body: (Manifest) async throws -> Result
    ) async throws -> Result {
        let result = try await body(base.manifest)
        if base.hasFailedBefore {
            // A note that stays costs a later pass nothing but the order in which it tries.
            try? await restore.backups.forgetCatchUpFailure(of: base.name)
        }
        return result
    }

    private static func isOfTheBase(_ error: any Error) -> Bool {
        causes(of: error).contains { ($0 as? WorkflowError)?.isOfTheBase == true }
    }

    private func note(_ name: String, _ error: any Error) async {
        do {
            try await restore.backups.leaveCatchUpFailure("\(error)", at: name, now: restore.clock.now())
        } catch {
            logger.warning(
                "cannot note that backup \(restore.backups.shard)/\(name) cannot be caught up with: \(error)"
            )
        }
    }
}
