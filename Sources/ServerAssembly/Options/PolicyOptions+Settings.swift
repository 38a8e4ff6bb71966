import Catalog
import CommandLineKit
import Host
import SystemPackage
import Vocabulary
import Workflows

extension PolicyOptions {
    /// What is kept.
    var retention: Retention.Policy {
        var policy = Retention.Policy()
        policy.minimumTime = minRetentionTime.seconds
        policy.minimumCount = minRetentionCount
        return policy
    }

    /// When a backup is taken.
    var freshness: Freshness.Policy {
        var policy = Freshness.Policy()
        policy.initialBackup = initialBackup
        policy.allowFirstBackup = allowFirstBackup
        policy.minimumInterval = max(0, minBackupInterval.seconds)
        return policy
    }

    /// What a pass of `shard` is to do, as the tablet `alias`.
    func settings(_ shard: ShardPath, _ alias: TabletAlias) -> BackupPass.Settings {
        var settings = BackupPass.Settings(shard: shard, alias: alias)
        settings.freshness = freshness
        settings.retention = retention
        settings.upgradeSafe = upgradeSafe
        settings.restartBeforeBackup = restartBeforeBackup
        settings.disableRedoLog = disableRedoLog
        settings.verifiesAfter = verifyAfter
        settings.allowErrantTransactions = allowErrantGtids
        settings.allowIncompleteTablespaces = allowIncompleteTablespaces
        settings.initSQLFile = initDbSqlFile.isEmpty ? nil : FilePath(initDbSqlFile)
        return settings
    }
}
