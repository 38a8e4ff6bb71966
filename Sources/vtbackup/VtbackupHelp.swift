/// The words in front of the flags in `--help`.
enum VtbackupHelp {
    static let introduction = """
        vtbackup makes one pass of backup maintenance for a shard, and exits.

        Run it now and then for each shard; its flags are the policy that it keeps to:
         * there is always a recent backup of the shard (--min-backup-interval);
         * old backups go, as far as they are not needed (--min-retention-time, --min-retention-count).

        A pass that finds nothing to do exits with success at once. Otherwise it
         1. restores the newest complete full backup into a folder of its own below VTDATAROOT,
         2. starts a private mysqld on it, which no tablet and no query ever sees,
         3. replicates from the shard's primary up to the position that the primary had at the beginning,
         4. stops mysqld, copies its files into a new backup, and makes that visible in one last step,
         5. removes what the policy no longer keeps,
         6. removes its folder.

        The first backup of a living shard needs --allow-first-backup, that of an empty new one --initial-backup.
        Start it with the environment of the shard's tablets (VTDATAROOT, VT_MYSQL_ROOT, EXTRA_MY_CNF), with as much
        disk space as one of them, at most one at a time for a shard and a storage, and again when it fails.

        Exit status: 0 success, or nothing to do; 1 failure, with the reason on stderr and in the log;
        128 + number of the signal when a second signal ended it at once.
        """
}
