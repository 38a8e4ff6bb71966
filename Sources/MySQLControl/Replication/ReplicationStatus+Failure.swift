/// What numbers and texts of replication's errors mean, as MySQL 9.7 and MariaDB 10.11 were seen to report them.
extension ReplicationStatus {
    /// Why replication cannot go on however often it is restarted, with what to do; `nil` when it may.
    package var permanentFailure: String? {
        // The primary has not got what is asked for, and will not get it.
        if receiver == .stopped, [1236, 13_114].contains(lastReceiverErrno) { return refusedLog }
        return applierFailure
    }

    // MARK: Receiver

    /// What the primary refuses, with what to do; `nil` when it may heal by itself.
    ///
    /// Somebody may lift it: it is tried again for as long as hours of work are worth it.
    package var refusal: String? {
        guard receiver != .running, let refusal = ServerRefusal(errno: lastReceiverErrno) else { return nil }
        return
            "replication from \(sourceHost):\(sourcePort) is refused: \(lastReceiverError) (errno \(lastReceiverErrno)); HINT: \(refusal.hint(.repl))"
    }

    /// The primary's own reason comes as text only, in its language.
    private var refusedLog: String {
        "replication cannot continue from this position: \(lastReceiverError) (errno \(lastReceiverErrno)); HINT: the primary no longer has the binary logs since the backup (take a new first backup, or keep binary logs longer), or writes none, or the backup has transactions that this primary does not have (start from an older backup)"
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
        if lastApplierErrno == 1298 {
            return
                "replication stopped: a transaction of the primary names a time zone that is not known here (errno 1298: \(lastApplierError)); HINT: \(RunningMysqld.timeZoneHint)"
        }
        return
            "replication stopped: the applier cannot execute a transaction of the primary (errno \(lastApplierErrno): \(lastApplierError)); HINT: the data here differs from the primary's; start from another backup, or take a new first one"
    }

    /// Whether the applier stopped at what the data here is, so that it may go on from other data.
    package var failureIsOfTheData: Bool {
        applier != .running && lastApplierErrno != 0 && !isDiskFull
            && !Self.applierFailuresOfTheMachine.contains(lastApplierErrno)
    }

    /// Memory, locks, files and relay logs, tables of time zones; ended by somebody.
    private static let applierFailuresOfTheMachine: Set<Int> = [
        3, 5, 23, 24, 28, 1005, 1006, 1021, 1023, 1030, 1037, 1038, 1040, 1041, 1104, 1135, 1158, 1159, 1160, 1161,
        1201, 1205, 1213, 1290, 1298, 1317, 1594, 1613, 1614, 1756, 1872, 3024, 13_117, 13_121,
    ]

    /// A write failed: of a file (3, 1026), for want of space (20, 1021), of a table (1114).
    private var isDiskFull: Bool { [3, 20, 1021, 1026, 1114].contains(lastApplierErrno) }
}
