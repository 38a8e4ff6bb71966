import ArgumentParser
package import CommandLineKit

/// What to do instead of a pass, and how to end.
///
/// These flags are ours.
package struct ActionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("List the shard's backups on stdout and exit.", valueName: "bool"))
    package var listBackups = false

    @Option(
        help: ArgumentHelp(
            "Unpack and check a backup into this folder, laid out as a tablet's; start nothing, and exit.",
            valueName: "string"
        )
    )
    package var restoreTo = ""

    @Option(
        help: ArgumentHelp(
            "Backup to restore with --restore-to; by default the newest complete full one.",
            valueName: "string"
        )
    )
    package var backupName = ""

    @Option(help: ArgumentHelp("Print results as JSON, errors included.", valueName: "bool"))
    package var json = false

    @Option(
        help: ArgumentHelp(
            "Show on stdout which backups pruning would keep and remove, and why; change nothing, and exit.",
            valueName: "bool"
        )
    )
    package var pruneDryRun = false

    @Option(
        help: ArgumentHelp(
            "After SIGTERM or SIGINT, time for stopping mysqld and cleaning up before the process ends anyway.",
            valueName: "duration"
        )
    )
    package var shutdownGrace = GoDurationValue.seconds(25)

    /// Creates the group.
    package init() {}

    /// One action a run.
    /// - Throws: ``UsageError``.
    func check() throws(UsageError) {
        let actions = [
            ("--list-backups", listBackups), ("--prune-dry-run", pruneDryRun), ("--restore-to", !restoreTo.isEmpty),
        ].filter(\.1).map(\.0)
        guard actions.count <= 1 else {
            throw UsageError("\(actions.joined(separator: " and ")) exclude each other; HINT: run one after the other")
        }
        if !backupName.isEmpty, restoreTo.isEmpty { throw UsageError("--backup-name needs --restore-to") }
    }
}
