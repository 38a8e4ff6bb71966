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

    /// What ``run(now:)`` would do.
    /// - Throws: what the store throws.
    package func plan(now: Date) async throws -> Retention {
        try await planned(try await backups.load(), now: now)
    }

    /// The plan, in which backups that did not verify do not count among those to keep.
    private func planned(_ listed: [ListedBackup], now: Date) async throws -> Retention {
        let plan = plan(listed, now: now)
        // Only where it matters: each look is a request to the store.
        guard !plan.removals.isEmpty else { return plan }
        var known: [ListedBackup] = []
        for backup in listed {
            var backup = backup
            do {
                if backup.manifest != nil, let reason = try await backups.verification(of: backup.name)?.refusal {
                    backup.state = .incomplete(reason)
                }
            } catch {
                try Task.checkCancellation()
                // Neither counted as good nor removed.
                logger.warning("cannot read whether backup \(backups.shard)/\(backup.name) was verified: \(error)")
                backup.state = .unreadable("\(error)")
            }
            known.append(backup)
        }
        return self.plan(known, now: now)
    }

    /// What would be done with these backups.
    func plan(_ listed: [ListedBackup], now: Date) -> Retention {
        Retention(listed, policy: policy, now: now)
    }

    /// Plans, logs each removal with its reason, and removes, newest dependents first.
    /// - Parameters:
    ///   - now: the moment of the pass.
    ///   - rejected: complete backups that were found to be no good in this pass, with the reason.
    /// - Throws: ``WorkflowError`` that names the backup which could not be removed; the ones before it are gone.
    package func run(now: Date, rejected: [String: String] = [:]) async throws {
        guard policy.minimumTime > 0 else {
            logger.info("\(ContractLog.pruningDisabled)")
            return
        }
        let listed = try await step(.storage, "can't list backups") { try await backups.load() }.map { backup in
            // What could not be restored must not be counted among those that can; and it may have been storage's fault for
            // a moment, so that it is not removed either.
            rejected[backup.name].map { ListedBackup(name: backup.name, state: .unreadable($0)) } ?? backup
        }
        for backup in listed where !backup.isUnreadable {
            if let problem = backup.problem { logger.info("\(ContractLog.ignoringIncomplete(backup.name, problem))") }
        }
        let plan = try await planned(listed, now: now)
        for verdict in plan.verdicts where !verdict.remove {
            logger.info("Keeping backup \(verdict.name): \(verdict.reason)")
        }
        for verdict in plan.removals {
            logger.info("\(ContractLog.removing(verdict.name, backups.shard, limit: policy.minimumTime))")
            try await step(.storage, "couldn't remove backup \(verdict.name) from \(backups.shard)") {
                try await backups.storage.removeBackup(verdict.name, of: backups.shard)
            }
        }
        if plan.removals.isEmpty, let oldest = listed.first(where: { $0.time != nil })?.time,
            now.timeIntervalSince(oldest) < policy.minimumTime
        {
            logger.info("\(ContractLog.notOldEnough(oldest, limit: policy.minimumTime))")
        }
    }
}
