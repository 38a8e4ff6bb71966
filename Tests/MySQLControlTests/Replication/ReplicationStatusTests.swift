import MySQLWire
import Positions
import Testing

@testable import MySQLControl

@Suite("Replication status")
struct ReplicationStatusTests {
    private static let set = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5,\n8b2d5a6e-0000-11e1-9e33-c80aa9429562:7"

    private static let modern: [String: String?] = [
        "Replica_IO_State": "Waiting for source to send event", "Source_Host": "db1", "Source_Port": "3306",
        "Replica_IO_Running": "Yes", "Replica_SQL_Running": "Yes", "Last_IO_Errno": "0", "Last_IO_Error": "",
        "Last_SQL_Errno": "0", "Last_SQL_Error": "", "Seconds_Behind_Source": nil, "Executed_Gtid_Set": set,
    ]

    private static let legacy: [String: String?] = [
        "Master_Host": "db1", "Master_Port": "3306", "Slave_IO_Running": "Connecting", "Slave_SQL_Running": "No",
        "Last_IO_Errno": "2003", "Last_IO_Error": "cannot connect", "Last_SQL_Errno": "1062",
        "Last_SQL_Error": "Duplicate entry", "Executed_Gtid_Set": set,
    ]

    private func result(_ rows: [String: String?]...) -> ResultSet {
        var result = ResultSet()
        result.columns = (rows.first ?? [:]).keys.sorted()
        result.rows = rows.map { row in result.columns.map { row[$0] ?? nil } }
        return result
    }

    @Test("with modern names", arguments: [ReplicationDialect.modern, .mysql8026])
    func modern(dialect: ReplicationDialect) throws {
        let status = try #require(try ReplicationStatus(result(Self.modern), dialect: dialect))
        #expect(status.position == (try Position(Self.set, flavor: .mysql56)))
        #expect(status.position.text == Self.set.replacing("\n", with: ""))
        #expect(status.receiver == .running)
        #expect(status.applier == .running)
        #expect(status.sourceHost == "db1")
        #expect(status.sourcePort == 3306)
        #expect(status.isHealthy)
        #expect(status.permanentFailure == nil)
    }

    @Test("with old names")
    func legacy() throws {
        let status = try #require(try ReplicationStatus(result(Self.legacy), dialect: .legacy))
        #expect(status.receiver == .connecting)
        #expect(status.applier == .stopped)
        #expect(status.lastReceiverErrno == 2003)
        #expect(status.lastReceiverError == "cannot connect")
        #expect(status.lastApplierErrno == 1062)
        #expect(status.lastApplierError == "Duplicate entry")
        #expect(status.sourceHost == "db1")
        #expect(status.sourcePort == 3306)
        #expect(!status.isHealthy)
    }

    @Test("of MariaDB, whose position has a column of its own")
    func mariaDB() throws {
        var row = Self.legacy
        row["Executed_Gtid_Set"] = nil
        row["Gtid_Slave_Pos"] = "0-1-1234"
        let status = try #require(try ReplicationStatus(result(row), dialect: .mariaDB))
        #expect(status.position == (try Position("0-1-1234", flavor: .mariaDB)))
    }

    @Test("columns that are missing or NULL are unknown, zero and empty")
    func bare() throws {
        let status = try #require(try ReplicationStatus(result(["Executed_Gtid_Set": nil]), dialect: .modern))
        #expect(status.position.isEmpty)
        #expect(status.receiver == .unknown)
        #expect(status.applier == .unknown)
        #expect(status.sourceHost.isEmpty)
        #expect(status.sourcePort == 0)
        #expect(!status.isHealthy)
    }

    @Test("no row: the server is no replica")
    func none() throws {
        #expect(try ReplicationStatus(ResultSet(), dialect: .modern) == nil)
    }

    @Test("two rows: several channels are an error")
    func channels() {
        let error = #expect(throws: MysqldError.self) {
            try ReplicationStatus(result(Self.modern, Self.modern), dialect: .modern)
        }
        #expect(error?.code == .replication)
        #expect(error?.message.hasPrefix("query returned 2 rows, expected 1") == true)
    }

    @Test("a position that does not parse is an error in Vitess's words")
    func badPosition() {
        for (dialect, column, flavor) in [
            (ReplicationDialect.modern, "Executed_Gtid_Set", "MySQL 5.6"), (.mariaDB, "Gtid_Slave_Pos", "MariaDB"),
        ] {
            let error = #expect(throws: MysqldError.self) {
                try ReplicationStatus(result([column: "non-sense"]), dialect: dialect)
            }
            #expect(error?.code == .replication)
            let start = "ReplicationStatus can't parse \(flavor) GTID (\(column): \"non-sense\"): "
            #expect(error?.message.hasPrefix(start) == true, "\(error?.message ?? "")")
        }
    }

    struct Health: Sendable, CustomTestStringConvertible {
        var receiver: String?
        var applier: String?
        var receiverError = ""
        var isReceiverHealthy: Bool
        var isHealthy: Bool
        var testDescription: String { "\(receiver ?? "NULL"), \(applier ?? "NULL"), error \"\(receiverError)\"" }
    }

    @Test(
        "healthy is running, or connecting without having failed",
        arguments: [
            Health(receiver: "Yes", applier: "Yes", isReceiverHealthy: true, isHealthy: true),
            Health(receiver: "ON", applier: "true", isReceiverHealthy: true, isHealthy: true),
            Health(receiver: "Yes", applier: "Yes", receiverError: "old", isReceiverHealthy: true, isHealthy: true),
            Health(receiver: "Connecting", applier: "Yes", isReceiverHealthy: true, isHealthy: true),
            Health(
                receiver: "Connecting",
                applier: "Yes",
                receiverError: "x",
                isReceiverHealthy: false,
                isHealthy: false
            ),
            Health(receiver: "No", applier: "Yes", isReceiverHealthy: false, isHealthy: false),
            Health(receiver: "OFF", applier: "Yes", isReceiverHealthy: false, isHealthy: false),
            Health(receiver: nil, applier: "Yes", isReceiverHealthy: false, isHealthy: false),
            Health(receiver: "Preparing", applier: "Yes", isReceiverHealthy: false, isHealthy: false),
            Health(receiver: "Yes", applier: "No", isReceiverHealthy: true, isHealthy: false),
            Health(receiver: "Yes", applier: "Connecting", isReceiverHealthy: true, isHealthy: false),
            Health(receiver: "Yes", applier: nil, isReceiverHealthy: true, isHealthy: false),
        ]
    )
    func health(_ test: Health) throws {
        var row = Self.modern
        row["Replica_IO_Running"] = test.receiver
        row["Replica_SQL_Running"] = test.applier
        row["Last_IO_Error"] = test.receiverError
        let status = try #require(try ReplicationStatus(result(row), dialect: .modern))
        #expect(status.isReceiverHealthy == test.isReceiverHealthy)
        #expect(status.isHealthy == test.isHealthy)
    }

    private func failure(applier: String, errno: String, error: String) throws -> String? {
        var row = Self.modern
        row["Replica_SQL_Running"] = applier
        row["Last_SQL_Errno"] = errno
        row["Last_SQL_Error"] = error
        return try ReplicationStatus(result(row), dialect: .modern)?.permanentFailure
    }

    @Test("an applier that stopped with an error cannot go on, and the text says what to do")
    func permanentFailure() throws {
        let text = try #require(try failure(applier: "No", errno: "1062", error: "Duplicate entry '1'"))
        #expect(
            text
                == "replication stopped: the applier cannot execute a transaction of the primary (errno 1062: Duplicate entry '1'); HINT: the data here differs from the primary's; start from another backup, or take a new first one"
        )
    }

    @Test("users that the init SQL has made already have a text of their own")
    func userFailure() throws {
        let message = "Error 'Operation CREATE USER failed for 'vt_app'@'localhost'' on query"
        let text = try #require(try failure(applier: "No", errno: "1396", error: message))
        #expect(text.contains("creates or drops a user that the init SQL has made here already"))
        #expect(text.contains(message))
        #expect(text.contains("HINT: run the primary's init SQL with sql_log_bin=0"))
    }

    private func failure(receiver: String, errno: String, error: String) throws -> String? {
        var row = Self.modern
        row["Replica_IO_Running"] = receiver
        row["Last_IO_Errno"] = errno
        row["Last_IO_Error"] = error
        let status = try #require(try ReplicationStatus(result(row), dialect: .modern))
        #expect(status.permanentFailure == nil || status.refusal == nil, "either of both")
        return status.permanentFailure ?? status.refusal
    }

    /// As MySQL 9.7 and MariaDB 10.11 said it.
    private static let receiverFailures: [(String, String, String, expected: String?)] = [
        (
            "Connecting", "1045",
            "Error connecting to source 'repl@127.0.0.1:4001'. This was attempt 1/10, with a delay of 2 seconds between attempts. Message: Access denied for user 'repl'@'localhost' (using password: YES)",
            "--db-repl-password"
        ),
        (
            "Connecting", "13120",
            "Source command COM_REGISTER_REPLICA failed: Access denied for user 'nopriv'@'%' (using password: YES) (Errno: 1045)",
            "GRANT REPLICATION SLAVE"
        ),
        (
            "Connecting", "1597",
            "Master command COM_REGISTER_SLAVE failed: Access denied for user 'nopriv'@'%' (using password: YES) (Errno: 1045)",
            "GRANT REPLICATION SLAVE"
        ),
        (
            "No", "13114",
            "Got fatal error 1236 from source when reading data from binary log: 'Cannot replicate because the source purged required binary logs.",
            "keep binary logs longer"
        ),
        (
            "No", "1236",
            "Got fatal error 1236 from master when reading data from binary log: 'Could not find GTID state requested by slave in any binlog files. Probably the slave state is too old and required binlog files have been purged.'",
            "keep binary logs longer"
        ),
        (
            "No", "13114",
            "Got fatal error 1236 from source when reading data from binary log: 'Replica has more GTIDs than the source has, using the source's SERVER_UUID.",
            "has transactions that this primary does not have"
        ),
        (
            "No", "1236",
            "Got fatal error 1236 from master when reading data from binary log: 'Error: connecting slave requested to start from GTID 0-2-2, which is not in the master's binlog'",
            "has transactions that this primary does not have"
        ),
        (
            "No", "13114",
            "Got fatal error 1236 from source when reading data from binary log: 'Binary log is not open'",
            "or writes none"
        ),
        (
            "No", "13117",
            "Fatal error: The replica I/O thread stops because source and replica have equal MySQL server ids; these ids must be different for replication to work",
            "server id"
        ),
        (
            "Connecting", "2003",
            "Error reconnecting to source: Can't connect to MySQL server on '127.0.0.1:4999' (111)", nil
        ),
        ("No", "2003", "This was attempt 10/10: Can't connect to MySQL server on '127.0.0.1:4999' (111)", nil),
        ("Connecting", "2005", "Unknown MySQL server host 'no-such-host.invalid' (-2)", nil),
        ("No", "13122", "Relay log write failure: could not queue event from source", nil),
        ("Yes", "1045", "an old error", nil),
    ]

    @Test("a receiver's error is named by what is wrong, and one that may heal is none", arguments: receiverFailures)
    func receiver(running: String, errno: String, error: String, expected: String?) throws {
        let text = try failure(receiver: running, errno: errno, error: error)
        #expect((text == nil) == (expected == nil), "\(text ?? "")")
        if let expected { #expect(text?.contains(expected) == true, "\(text ?? "")") }
    }

    @Test("a full disk is no difference of data, and threads that somebody ended can be started again")
    func applierCauses() throws {
        let full =
            "Could not execute Write_rows event on table d.b; The table 'b' is full, Error_code: 1114; handler error HA_ERR_RECORD_FILE_FULL"
        #expect(try failure(applier: "No", errno: "1114", error: full)?.contains("disk space") == true)
        let temporary = "Error writing file '/td/MLfd=30' (OS errno 28 - No space left on device), Error_code: 3"
        #expect(try failure(applier: "No", errno: "3", error: temporary)?.contains("disk space") == true)
        #expect(
            try failure(applier: "No", errno: "1756", error: "The replica coordinator and worker threads are stopped")
                == nil
        )
    }

    @Test("the statement that failed, which may hold a password, is not shown")
    func secrets() throws {
        let message =
            "Error 'Operation CREATE USER failed for 'u1'@'%'' on query. Default database: ''. Query: 'create user u1@'%' identified by 's3cret''"
        let text = try #require(try failure(applier: "No", errno: "1396", error: message))
        #expect(!text.contains("s3cret"))
        #expect(text.contains("Query: not shown"))
    }

    @Test("an applier that runs, or stopped without an error, may go on")
    func mayGoOn() throws {
        #expect(try failure(applier: "Yes", errno: "1062", error: "old error") == nil)
        #expect(try failure(applier: "No", errno: "0", error: "") == nil)
        #expect(try failure(applier: "Connecting", errno: "0", error: "") == nil)
    }
}
