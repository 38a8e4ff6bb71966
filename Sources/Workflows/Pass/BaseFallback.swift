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
    /// - Throws: ``WorkflowError``.
    func run<Result: Sendable>(_ body: @escaping @Sendable (Manifest) async throws -> Result) async throws -> Result {
        let first = try await restore.run()
        do {
            return try await attempt(first, body)
        } catch {
            try Task.checkCancellation()
            guard Self.isOfTheBase(error) else { throw error }
            await note(first.name, error)
            guard restore.hasUsable(but: [first.name]) else { throw error }
            logger.error(
                "backup \(restore.shard)/\(first.name) CANNOT BE CAUGHT UP WITH, falling back to an older one: \(error)"
            )
            try await restore.emptyFolder()
            let second = try await restore.run(but: [first.name])
            do {
                return try await attempt(second, body)
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
            try? await restore.context.backups.forgetCatchUpFailure(of: base.name)
        }
        return result
    }

    private static func isOfTheBase(_ error: any Error) -> Bool {
        causes(of: error).contains { ($0 as? WorkflowError)?.isOfTheBase == true }
    }

    private func note(_ name: String, _ error: any Error) async {
        do {
            try await restore.context.backups.leaveCatchUpFailure(
                "\(error)",
                at: name,
                now: restore.context.clock.now()
            )
        } catch {
            logger.warning(
                "cannot note that backup \(restore.shard)/\(name) cannot be caught up with: \(error)"
            )
        }
    }
}
