package import Vocabulary

extension MyCnfFragment {
    /// What stands at the end of every my.cnf, whoever made it: what our own statements and our own mysqld depend on.
    ///
    /// Above may stand anything: an `EXTRA_MY_CNF`, the output of a `make_mycnf` hook. Settings that are persisted in the
    /// data would come after every my.cnf: they are not read, but passed on in front of this (``PersistedSettings``).
    package static func lastWord(for version: MySQLVersion) -> String {
        let isMariaDB = version.product == .mariadb
        let saysReplica = !isMariaDB && version.isAtLeast(8, 0, 26)
        let replica = saysReplica ? "replica" : "slave"
        var lines = [
            "[mysqld]",
            "# The last word, whatever stands above: this server is ours, runs for one pass, and writes nothing by itself",
            "server-id = {{.ServerID}}", "port = {{.MysqlPort}}", "socket = {{.SocketFile}}",
            // Statements of others. A server that is being initialised takes an empty name for a file.
            "event_scheduler = OFF", "init_file = /dev/null", "init_connect =", "init_\(replica) =",
            // Replication starts when we say so, and leaves nothing out.
            "skip_\(replica)_start", "\(replica)_skip_errors = OFF", "\(replica)_exec_mode = STRICT",
            "loose_rpl_semi_sync_\(saysReplica ? "source" : "master")_enabled = OFF",
            "loose_rpl_semi_sync_\(replica)_enabled = OFF",
            // What the server writes is whole.
            "innodb_force_recovery = 0", "innodb_fast_shutdown = 1", "innodb_read_only = OFF",
            // Who may log in, and do what.
            "skip-grant-tables = 0", "loose_offline_mode = OFF",
            "loose_default_password_lifetime = 0", "transaction_read_only = OFF", "autocommit = ON",
            // The scripts that make a data directory fail with small ones.
            "max_join_size = 18446744073709551615", "max_\(isMariaDB ? "statement" : "execution")_time = 0",
            // The tables of named time zones may not be filled yet.
            "default_time_zone = SYSTEM", "lc_messages = en_US",
        ]
        if !isMariaDB, fragment(for: version) != nil {
            lines += ["gtid_mode = ON", "enforce_gtid_consistency = ON"]
            if version.isAtLeast(8, 0, 0) { lines += ["persisted_globals_load = OFF", "mysqlx = 0"] }
        }
        // MariaDB lets nobody change it at run time once it is 0 at the start.
        if !isMariaDB { lines.append("max_user_connections = 0") }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The named time zone that a my.cnf makes the server's own, which needs tables that may not be filled.
    static func namedTimeZone(in text: String) -> String? {
        var zone: String?
        for line in text.split(separator: "\n") {
            guard let match = line.wholeMatch(of: /\s*(?:loose[-_])?default[-_]time[-_]zone\s*=\s*(.*?)\s*(?:#.*)?/)
            else {
                continue
            }
            zone = match.1.trimmingPrefix { "'\"".contains($0) }.filter { !"'\"".contains($0) }
        }
        guard let zone, zone.uppercased() != "SYSTEM", zone.first.map({ "+-".contains($0) }) == false else {
            return nil
        }
        return zone
    }
}
