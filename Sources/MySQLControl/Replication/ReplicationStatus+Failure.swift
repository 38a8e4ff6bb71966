/// What numbers and texts of replication's errors mean, as MySQL 9.7 and MariaDB 10.11 were seen to report them.
extension ReplicationStatus {
    /// Why replication cannot go on however often it is restarted, with what to do; `nil` when it may.
    package var permanentFailure: String? {
        receiverFailure ?? applierFailure
    }

    // MARK: Receiver

    private var receiverFailure: String? {
        guard receiver != .running else { return nil }
        switch lastReceiverErrno {
        case 1045, 1130:
            return
                "replication cannot connect to the primary: \(lastReceiverError); HINT: check --db-repl-user and --db-repl-password"
        // Registering as a replica was refused; the text holds the number behind it.
        case 13_120, 1597:
            guard lastReceiverError.contains("Access denied") else { return nil }
            return
                "the primary does not let \(sourceHost):\(sourcePort) be replicated: \(lastReceiverError); HINT: GRANT REPLICATION SLAVE ON *.* to --db-repl-user"
        case 13_117, 1593:
            return
                "replication from this primary is not possible: \(lastReceiverError); HINT: server id, server UUID and gtid_mode of the primary and of the my.cnf used here"
        case 1236, 13_114: return receiver == .stopped ? refusal : nil
        default: return nil
        }
    }

    /// The primary's own reason, which comes as text only.
    private var refusal: String {
        let text = lastReceiverError
        let (what, hint) =
            if text.contains("purged") || text.contains("Could not open log file") {
                (
                    "replication cannot continue from this position",
                    "the primary no longer has the binary logs since the backup; take a new first backup, or keep binary logs longer"
                )
            } else if text.contains("more GTIDs than") || text.contains("not in the master's binlog") {
                (
                    "the data here and the primary have diverged",
                    "the backup has transactions that this primary does not have; it was restored from older data, or lost some in a failover; start from an older backup, or take a new first one"
                )
            } else if text.contains("not open") {
                ("the primary writes no binary log", "switch log_bin on there")
            } else {
                (
                    "replication cannot continue from this position",
                    "the primary no longer has the binary logs since the backup, or has other transactions; take a new first backup, or keep binary logs longer"
                )
            }
        return "\(what): \(text); HINT: \(hint)"
    }

    // MARK: Applier

    private var applierFailure: String? {
        guard applier != .running, lastApplierErrno != 0 else { return nil }
        // Somebody ended its threads: they can be started again.
        if lastApplierErrno == 1756 { return nil }
        if isDiskFull {
            return
                "replication stopped for want of disk space (errno \(lastApplierErrno): \(lastApplierError)); HINT: a pass needs as much as a tablet, and room for temporary files"
        }
        if lastApplierErrno == 1396 {
            return
                "replication stopped: the primary's binary log creates or drops a user that the init SQL has made here already (\(lastApplierError)); HINT: run the primary's init SQL with sql_log_bin=0, or give --init-db-sql-file a script without these users"
        }
        return
            "replication stopped: the applier cannot execute a transaction of the primary (errno \(lastApplierErrno): \(lastApplierError)); HINT: the data here differs from the primary's; start from another backup, or take a new first one"
    }

    /// Whether the applier stopped at what the data here is, so that it may go on from other data.
    package var failureIsOfTheData: Bool {
        applier != .running && lastApplierErrno != 0 && !isDiskFull
            && !Self.applierFailuresOfTheMachine.contains(lastApplierErrno)
    }

    /// Memory, locks, files and relay logs; ended by somebody.
    private static let applierFailuresOfTheMachine: Set<Int> = [
        3, 5, 23, 24, 28, 1005, 1006, 1021, 1023, 1030, 1037, 1038, 1040, 1041, 1104, 1135, 1158, 1159, 1160, 1161,
        1201,
        1205, 1213, 1290, 1317, 1594, 1613, 1614, 1756, 1872, 3024, 13_117, 13_121,
    ]

    private var isDiskFull: Bool {
        [1114, 1021].contains(lastApplierErrno) || lastApplierError.contains("No space left on device")
    }
}
