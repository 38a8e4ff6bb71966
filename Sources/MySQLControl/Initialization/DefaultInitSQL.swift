package import Vocabulary

/// The script that a fresh server of Vitess gets: the users that tablets and vtbackup log in as.
package enum DefaultInitSQL {
    private static let applicationPrivileges =
        "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, FILE, REFERENCES, INDEX, ALTER, SHOW DATABASES, "
        + "CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, REPLICATION CLIENT, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, "
        + "ALTER ROUTINE, CREATE USER, EVENT, TRIGGER"

    /// Statements for the server's product; they leave no trace in its binary log.
    package static func script(for version: MySQLVersion) -> String {
        let hasSuperReadOnly = version.product != .mariadb
        return """
            \(hasSuperReadOnly ? "SET @original_super_read_only = IF(@@global.super_read_only = 1, 'ON', 'OFF');" : "")
            \(hasSuperReadOnly ? "SET GLOBAL super_read_only = 'OFF';" : "")
            SET sql_log_bin = 0;
            DROP USER IF EXISTS ''@'%';
            DROP USER IF EXISTS ''@'localhost';
            DROP USER IF EXISTS 'root'@'%';
            \(version.product == .mariadb ? "DROP USER IF EXISTS 'root'@'127.0.0.1', 'root'@'::1';" : "")
            DROP DATABASE IF EXISTS test;
            CREATE USER 'vt_dba'@'localhost';
            GRANT ALL ON *.* TO 'vt_dba'@'localhost';
            GRANT GRANT OPTION ON *.* TO 'vt_dba'@'localhost';
            GRANT PROXY ON ''@'' TO 'vt_dba'@'localhost' WITH GRANT OPTION;
            CREATE USER 'vt_app'@'localhost';
            GRANT \(applicationPrivileges) ON *.* TO 'vt_app'@'localhost';
            CREATE USER 'vt_appdebug'@'localhost';
            GRANT SELECT, SHOW DATABASES, PROCESS ON *.* TO 'vt_appdebug'@'localhost';
            CREATE USER 'vt_allprivs'@'localhost';
            GRANT \(applicationPrivileges), REPLICATION SLAVE ON *.* TO 'vt_allprivs'@'localhost';
            CREATE USER 'vt_repl'@'%';
            GRANT REPLICATION SLAVE ON *.* TO 'vt_repl'@'%';
            CREATE USER 'vt_filtered'@'localhost';
            GRANT \(applicationPrivileges), REPLICATION SLAVE ON *.* TO 'vt_filtered'@'localhost';
            CREATE USER 'vt_monitoring'@'localhost';
            GRANT SELECT, PROCESS, SUPER, REPLICATION CLIENT, RELOAD ON *.* TO 'vt_monitoring'@'localhost';
            GRANT SELECT, UPDATE, DELETE, DROP ON performance_schema.* TO 'vt_monitoring'@'localhost';
            FLUSH PRIVILEGES;
            \(hasSuperReadOnly ? "SET GLOBAL super_read_only = IFNULL(@original_super_read_only, 'ON');" : "")
            """
    }
}
