package import Vocabulary

/// The parts of a my.cnf template: one for every server, one per series (`spec` of Vitess's mycnf folder, in our words).
package enum MyCnfFragment {
    /// Paths and behaviour of every server.
    ///
    /// The separate InnoDB folders are what lets a backup archive three file roots.
    package static let common = """
        # Where everything lies
        datadir = {{.DataDir}}
        innodb_data_home_dir = {{.InnodbDataHomeDir}}
        innodb_log_group_home_dir = {{.InnodbLogGroupHomeDir}}
        log-error = {{.ErrorLogPath}}
        log-bin = {{.BinLogPath}}
        relay-log = {{.RelayLogPath}}
        relay-log-index = {{.RelayLogIndexPath}}
        pid-file = {{.PidFile}}
        port = {{.MysqlPort}}
        socket = {{.SocketFile}}
        tmpdir = {{.TmpDir}}
        slow-query-log-file = {{.SlowLogPath}}
        {{if .SecureFilePriv}}secure-file-priv = {{.SecureFilePriv}}
        {{end}}server-id = {{.ServerID}}

        # Behaviour
        long_query_time = 2
        slow-query-log
        skip-name-resolve
        connect_timeout = 30
        innodb_lock_wait_timeout = 20
        max_allowed_packet = 64M
        max_connections = 500

        """

    /// The fragment of a server series; `nil` for one that is not known.
    package static func fragment(for version: MySQLVersion) -> String? {
        switch (version.product, version.major, version.minor) {
        case (.mariadb, 10, _): mariaDB10
        case (.mariadb, _, _): nil
        case (_, 5, 7): mysql57
        case (_, 8, 0) where !version.isAtLeast(8, 0, 26): mysql80
        case (_, 8, ..<4): mysql8026
        case (_, 8, _): mysql84
        // Later majors start with what 9.x takes; a setting they drop is named by their own error log.
        case (_, 9..., _): mysql90
        default: nil
        }
    }

    private static let gtid = """
        # Positions are GTID sets
        gtid_mode = ON
        enforce_gtid_consistency

        """

    private static let legacySemiSync = """
        # Semi-synchronous replication is loaded and off; it never degrades to asynchronous
        plugin-load = rpl_semi_sync_master=semisync_master.so;rpl_semi_sync_slave=semisync_slave.so
        loose_rpl_semi_sync_master_timeout = 1000000000000000000
        loose_rpl_semi_sync_master_wait_no_slave = 1

        """

    private static let semiSync = """
        # Semi-synchronous replication is loaded and off; it never degrades to asynchronous
        plugin-load = rpl_semi_sync_source=semisync_source.so;rpl_semi_sync_replica=semisync_replica.so
        loose_rpl_semi_sync_source_timeout = 1000000000000000000
        loose_rpl_semi_sync_source_wait_no_replica = 1

        """

    private static let readOnly = """
        # Nothing is written before the server knows its role
        super-read-only

        """

    private static let mysql57 =
        """
        # MySQL 5.7

        """ + gtid + """
            skip_slave_start
            relay_log_recovery = 1
            relay_log_purge = 1
            master_info_repository = TABLE
            relay_log_info_repository = TABLE
            log_slave_updates
            expire_logs_days = 3
            sync_binlog = 1
            binlog_format = ROW
            character_set_server = utf8
            collation_server = utf8_general_ci
            plugin-load = rpl_semi_sync_master=semisync_master.so;rpl_semi_sync_slave=semisync_slave.so
            rpl_semi_sync_master_timeout = 1000000000000000000
            rpl_semi_sync_master_wait_no_slave = 1

            """ + readOnly

    private static let mysql80 =
        """
        # MySQL 8.0, up to 8.0.25

        """ + gtid + """
            skip_slave_start
            relay_log_recovery = 1
            binlog_expire_logs_seconds = 259200
            mysqlx = 0
            default_authentication_plugin = mysql_native_password

            """ + legacySemiSync + readOnly

    private static let mysql8026 =
        """
        # MySQL 8.0.26 to 8.3

        """ + gtid + """
            skip_replica_start
            relay_log_recovery = 1
            binlog_expire_logs_seconds = 259200
            mysqlx = 0
            replica_net_timeout = 8

            """ + semiSync + readOnly

    private static let mysql84 =
        """
        # MySQL 8.4

        """ + gtid + """
            skip_replica_start
            relay_log_recovery = 1
            binlog_expire_logs_seconds = 259200
            mysqlx = 0
            mysql_native_password = ON
            replica_net_timeout = 8

            """ + semiSync + readOnly

    private static let mysql90 =
        """
        # MySQL 9

        """ + gtid + """
            skip_replica_start
            relay_log_recovery = 1
            binlog_expire_logs_seconds = 259200
            mysqlx = 0
            replica_net_timeout = 8

            """ + semiSync + readOnly

    private static let mariaDB10 = """
        # MariaDB 10
        gtid_strict_mode = 1
        skip_slave_start
        log_slave_updates
        expire_logs_days = 3
        sync_binlog = 1
        binlog_format = ROW
        slave_net_timeout = 60
        character_set_server = utf8
        collation_server = utf8_general_ci
        sql_mode = STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION
        innodb_stats_persistent = 0
        plugin-load = rpl_semi_sync_master=semisync_master.so;rpl_semi_sync_slave=semisync_slave.so
        rpl_semi_sync_master_timeout = 1000000000000000000
        rpl_semi_sync_master_wait_no_slave = 1
        read-only

        """
}
