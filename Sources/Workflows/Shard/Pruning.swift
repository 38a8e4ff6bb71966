package import Catalog
package import FoundationEssentials
package import Logging
import Storage

/// Removes what the retention policy does not keep.
package struct Pruning: Sendable {
    private let backups: ShardBackups
    private let policy: Retention.Policy
    private let logger: Logger

    /// Prunes the backups of one shard.
    package init(backups: ShardBackups, policy: Retention.Policy, logger: Logger) {
        (self.backups, self.policy, self.logger) = (backups, policy, logger)
    }

    /// What ``run(_:now:taken:)`` would do.
    /// - Throws: what the store throws.
    package func plan(now: Date) async throws -> Retention {
        plan(try await backups.load(), now: now)
    }

    /// What would be done with these backups.
    func plan(_ listed: [ListedBackup], now: Date, sparing spared: [String: String] = [:]) -> Retention {
        Retention(listed, policy: policy, now: now, sparing: spared)
    }

    /// Plans, logs each removal with its reason, and removes, newest dependents first.
    ///
    /// What cannot be removed stays, with all that it is built on; the others go all the same.
    /// - Parameters:
    ///   - known: what the pass knows of the backups, which are listed once more.
    ///   - now: the moment of the pass.
    ///   - taken: the backup that this pass took, which is never removed.
    /// - Throws: ``WorkflowError`` that names the backups which could not be removed.
    func run(_ known: KnownBackups, now: Date, taken: String? = nil) async throws {
        guard policy.minimumTime > 0 else {
            logger.info("\(ContractLog.pruningDisabled)")
            return
        }
        try await step(.storage, "can't list backups") { try await known.refresh() }
        let listed = known.list
        for backup in listed where !backup.isUnreadable && !backup.isForeign {
            if let problem = backup.problem { logger.info("\(ContractLog.ignoringIncomplete(backup.name, problem))") }
        }
        var spared: [String: String] = [:]
        if let taken { spared[taken] = "it was taken by this pass" }
        let plan = plan(listed, now: now, sparing: spared)
        for verdict in plan.verdicts where !verdict.remove {
            logger.info("Keeping backup \(verdict.name): \(verdict.reason)")
        }
        try await remove(plan, listed, now, &spared)
        if plan.removals.isEmpty, let oldest = listed.first(where: { $0.time != nil })?.time,
            now.timeIntervalSince(oldest) < policy.minimumTime
        {
            logger.info("\(ContractLog.notOldEnough(oldest, limit: policy.minimumTime))")
        }
    }

    private func remove(
        _ plan: Retention,
        _ listed: [ListedBackup],
        _ now: Date,
        _ spared: inout [String: String]
    ) async throws {
        var failures: [(name: String, error: any Error)] = []
        var allowed = Set(plan.removals.map(\.name))
        for verdict in plan.removals {
            guard allowed.contains(verdict.name) else {
                logger.warning("Keeping backup \(verdict.name): what is built on it could not be removed")
                continue
            }
            logger.info("\(ContractLog.removing(verdict.name, backups.shard, limit: policy.minimumTime))")
            do {
                try await backups.storage.removeBackup(verdict.name, of: backups.shard)
            } catch {
                try Task.checkCancellation()
                logger.error("couldn't remove backup \(verdict.name) from \(backups.shard): \(error)")
                failures.append((verdict.name, error))
                spared[verdict.name] = "it could not be removed"
                // What it needs stays too.
                allowed.formIntersection(self.plan(listed, now: now, sparing: spared).removals.map(\.name))
            }
        }
        guard let first = failures.first else { return }
        let others = failures.dropFirst().map(\.name)
        throw WorkflowError(
            .storage,
            "couldn't remove backup \(first.name) from \(backups.shard)\(others.isEmpty ? "" : " (nor \(others.joined(separator: ", ")))")",
            cause: first.error
        )
    }
}
