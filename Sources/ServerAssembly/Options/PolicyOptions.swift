package import ArgumentParser
package import CommandLineKit
import Host

/// When a backup is taken, what it starts from and what is kept (command-line specification 3.1).
package struct PolicyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Go on when the shard has no complete backup yet: start empty and replicate everything from the primary.",
            valueName: "bool"
        )
    )
    package var allowFirstBackup = false

    @Option(
        help: ArgumentHelp(
            "Seed a shard that has no tablets yet: back up a freshly initialised, empty database. Does nothing, successfully, when a complete backup exists.",
            valueName: "bool"
        )
    )
    package var initialBackup = false

    @Option(
        help: ArgumentHelp(
            "Take a backup only if the newest complete one was started at least this long ago; 0 takes one in every pass.",
            valueName: "duration"
        )
    )
    package var minBackupInterval = GoDurationValue.seconds(0)

    @Option(
        help: ArgumentHelp(
            "Remove backups older than this, as far as the other rules allow; 0 removes none.",
            valueName: "duration"
        )
    )
    package var minRetentionTime = GoDurationValue.seconds(0)

    @Option(
        help: ArgumentHelp(
            "Keep at least this many of the newest complete full backups whatever their age; at least 1.",
            valueName: "int"
        )
    )
    package var minRetentionCount = 1

    @Option(help: ArgumentHelp("Files restored or backed up at once; at least 1.", valueName: "int"))
    package var concurrency = 4

    @Option(
        help: ArgumentHelp(
            "Take an incremental backup from this position or backup, or from the newest one with 'auto'. Not available in this version yet: refused.",
            valueName: "string"
        )
    )
    package var incrementalFromPos = ""

    @Option(help: ArgumentHelp("Keyspace of the shard to back up.", valueName: "string"))
    package var initKeyspace = ""

    @Option(help: ArgumentHelp("Shard to back up.", valueName: "string"))
    package var initShard = ""

    @Option(
        help: ArgumentHelp(
            "Name of the shard's database. A backup holds the whole server, so that it changes nothing here.",
            valueName: "string"
        )
    )
    package var initDbNameOverride = ""

    @Option(
        help: ArgumentHelp(
            "SQL script to run as root on a freshly initialised server instead of the built-in one.",
            valueName: "string"
        )
    )
    package var initDbSqlFile = ""

    @Option(
        help: ArgumentHelp(
            "After catching up, stop mysqld fully (innodb_fast_shutdown=0) and start it once more before the backup.",
            valueName: "bool"
        )
    )
    package var restartBeforeBackup = false

    @Option(
        help: ArgumentHelp(
            "Stop mysqld with innodb_fast_shutdown=0 for the backup, so that the next MySQL series can open it.",
            valueName: "bool"
        )
    )
    package var upgradeSafe = false

    @Option(help: ArgumentHelp("Switch InnoDB's redo log off while catching up with the primary.", valueName: "bool"))
    package var disableRedoLog = false

    @Option(
        help: ArgumentHelp(
            "Start from and take backups that hold transactions which the primary does not have, as Vitess does.",
            valueName: "bool"
        )
    )
    package var allowErrantGtids = false

    @Option(
        help: ArgumentHelp(
            "Take backups of servers with tablespaces that lie outside of what is copied, or are encrypted; they are named in the log.",
            valueName: "bool"
        )
    )
    package var allowIncompleteTablespaces = false

    @Option(
        help: ArgumentHelp(
            "After the commit, restore the new backup from storage, start mysqld on it, and check every table and its position.",
            valueName: "bool"
        )
    )
    package var verifyAfter = false

    @Option(
        help: ArgumentHelp(
            "What keeps two passes from working on one shard at once: lease (an object beside its backups), topo (the lease, and a named lock in the topology) or off.",
            valueName: "string"
        )
    )
    package var passLock = PassLock.lease

    @Option(
        help: ArgumentHelp(
            "After a successful pass, wait this long or for a signal before exiting.",
            valueName: "duration"
        )
    )
    package var keepAliveTimeout = GoDurationValue.seconds(0)

    @Option(
        help: ArgumentHelp("Run in the background: print the process number and return at once.", valueName: "bool")
    )
    package var detach = false

    @Option(
        help: ArgumentHelp(
            "Statements to run after catching up and before the files are copied; not written to the binary log.",
            valueName: "strings"
        )
    )
    package var initBackupSqlQueries: [String] = []

    @Option(
        help: ArgumentHelp(
            "Tablet types for which these statements run; vtbackup's own type is BACKUP.",
            valueName: "strings"
        )
    )
    package var initBackupTabletTypes: [String] = []

    @Option(help: ArgumentHelp("Time limit for these statements; required with them.", valueName: "duration"))
    package var initBackupSqlTimeout = GoDurationValue.seconds(0)

    @Option(
        help: ArgumentHelp(
            "Fail the pass when these statements fail or run out of time, instead of going on without them.",
            valueName: "bool"
        )
    )
    package var initBackupSqlFailOnError = false

    /// Creates the group.
    package init() {}
}

/// What keeps two passes apart (`--pass-lock`).
package enum PassLock: String, Sendable, ExpressibleByArgument, CaseIterable {
    case lease, topo, off
}
