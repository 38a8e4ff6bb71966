import Host
import Logging
import MySQLWire
import Vocabulary

extension RunningMysqld {
    /// Undoes what an init script may have set for the running server: what the applier and our own statements depend on.
    /// - Throws: ``MysqldError``.
    func takeCharge() async throws {
        let replica = dialect.saysReplica ? "replica" : "slave"
        var settings = [
            "event_scheduler = OFF", "init_connect = ''", "init_\(replica) = ''", "\(replica)_exec_mode = 'STRICT'",
            "autocommit = 1", "innodb_fast_shutdown = 1",
        ]
        if dialect != .mariaDB { settings += ["offline_mode = OFF", "max_user_connections = 0"] }
        try await execute(settings.map { "SET GLOBAL \($0)" } + ["SET GLOBAL TRANSACTION READ WRITE"])
    }

    /// Refuses what my.cnf says and no later line takes back: a filter of replication leaves data out.
    /// - Throws: ``MysqldError`` with code `configuration` that names it.
    func refuseFilters() async throws {
        var filters: [String] = []
        if dialect == .mariaDB {
            let names = ["do_db", "ignore_db", "do_table", "ignore_table", "wild_do_table", "wild_ignore_table"]
            let answer = try await query("SELECT " + names.map { "@@global.replicate_\($0)" }.joined(separator: ", "))
            for (name, value) in zip(names, answer.rows.first ?? []) where value?.isEmpty == false {
                filters.append("replicate_\(name) = \(value ?? "")")
            }
        } else if mysqld.installation.version.isAtLeast(8, 0, 2) {
            filters = try await query(
                "SELECT FILTER_NAME, FILTER_RULE FROM performance_schema.replication_applier_global_filters"
            ).rows.map { row in row.map { $0 ?? "" }.joined(separator: " = ") }
        }
        guard !filters.isEmpty else { return }
        throw MysqldError(
            .configuration,
            "my.cnf filters replication (\(filters.joined(separator: ", "))), so that a backup would lack data; HINT: take that out of EXTRA_MY_CNF and the make_mycnf hook"
        )
    }

    /// Says when the backup cannot be started as the operator's my.cnf wants it.
    func warnOfTimeZone() async {
        guard let text = try? FileTree.read(mysqld.directory.configuration, limit: 1 << 20),
            let zone = MyCnfFragment.namedTimeZone(in: Self.above(String(decoding: text, as: UTF8.self)))
        else { return }
        do {
            try await execute(["SET SESSION time_zone = \(SQLText.literal(zone))"])
        } catch let error as MysqldError where (error.cause as? MySQLWireError)?.serverErrno == 1298 {
            mysqld.logger.warning(
                "this server does not know the time zone \(zone) (errno 1298), and a tablet with default_time_zone = \(zone) does not start on its backup; HINT: \(Self.timeZoneHint)"
            )
        } catch {
            // Whatever else is wrong with the server shows elsewhere.
        }
    }

    static let timeZoneHint =
        "load mysql.time_zone, time_zone_name, time_zone_transition, time_zone_transition_type and time_zone_leap_second (mysql_tzinfo_to_sql), on the primary through its binary log, or in --init-db-sql-file"

    /// What others have written into my.cnf.
    private static func above(_ text: String) -> String {
        text.firstRange(of: "# The last word").map { String(text[..<$0.lowerBound]) } ?? text
    }
}
