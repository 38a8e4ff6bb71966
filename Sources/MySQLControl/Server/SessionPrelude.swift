/// What a connection of ours sets before its first statement: whatever the server's settings are, our statements mean and
/// may do the same.
///
/// Versions in executable comments: MariaDB takes those of MySQL up to 5.6 only, MySQL takes those of MariaDB as comments.
enum SessionPrelude {
    /// For statements of ours.
    static let ours =
        "SET NAMES utf8mb4; \(unbounded), sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'; \(readWrite)"

    /// For an operator's script, which may have been written for the server's `sql_mode`.
    static let script = "SET NAMES utf8mb4; \(unbounded); \(readWrite)"

    private static let unbounded = """
        SET SESSION autocommit = 1, time_zone = '+00:00', sql_select_limit = 18446744073709551615, sql_big_selects = 1, \
        sql_safe_updates = 0, lock_wait_timeout = 31536000, completion_type = 0\
        /*!50708 , max_execution_time = 0 */ /*M!100101 , max_statement_time = 0 */
        """

    private static let readWrite = "SET SESSION TRANSACTION READ WRITE"
}
