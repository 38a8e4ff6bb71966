import Testing
import Vocabulary

@testable import MySQLControl

@Suite("The built-in init SQL")
struct DefaultInitSQLTests {
    private func statements(_ version: MySQLVersion) -> [String] {
        DefaultInitSQL.script(for: version).split(separator: "\n").map(String.init)
    }

    @Test("opens the server for writing, leaves nothing in the binary log, and closes it again")
    func window() {
        let statements = statements(MySQLVersion(9, 7, 4))
        #expect(
            statements.prefix(3) == [
                "SET @original_super_read_only = IF(@@global.super_read_only = 1, 'ON', 'OFF');",
                "SET GLOBAL super_read_only = 'OFF';",
                "SET sql_log_bin = 0;",
            ]
        )
        #expect(statements.last == "SET GLOBAL super_read_only = IFNULL(@original_super_read_only, 'ON');")
    }

    @Test("MariaDB, which has no super_read_only, gets the rest unchanged, and loses the further roots of its own")
    func mariaDB() {
        let mysql = statements(MySQLVersion(9, 7, 4)).filter { !$0.contains("super_read_only") }
        let mariaDB = statements(MySQLVersion(product: .mariadb, 10, 11, 6))
        let roots = "DROP USER IF EXISTS 'root'@'127.0.0.1', 'root'@'::1';"
        #expect(mariaDB.contains(roots))
        #expect(mariaDB.filter { $0 != roots } == mysql)
        #expect(mariaDB.first == "SET sql_log_bin = 0;")
    }

    @Test("every line is one whole statement, and its quotes are closed")
    func wellFormed() {
        for statement in statements(MySQLVersion(8, 0, 36)) {
            #expect(statement.hasSuffix(";"), "\(statement)")
            #expect(statement.filter { $0 == "'" }.count.isMultiple(of: 2), "\(statement)")
        }
    }

    @Test("removes anonymous users, remote root and the test database")
    func removals() {
        let statements = statements(MySQLVersion(9, 7, 4))
        for statement in [
            "DROP USER IF EXISTS ''@'%';", "DROP USER IF EXISTS ''@'localhost';", "DROP USER IF EXISTS 'root'@'%';",
            "DROP DATABASE IF EXISTS test;",
        ] {
            #expect(statements.contains(statement))
        }
    }

    private static let application =
        "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, FILE, REFERENCES, INDEX, ALTER, SHOW DATABASES, "
        + "CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, REPLICATION CLIENT, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, "
        + "ALTER ROUTINE, CREATE USER, EVENT, TRIGGER"

    struct User: Sendable, CustomTestStringConvertible {
        var name: String
        var grants: [String]
        var testDescription: String { name }
    }

    @Test(
        "creates the users of Vitess with their privileges, and no others",
        arguments: [
            User(
                name: "'vt_dba'@'localhost'",
                grants: ["ALL ON *.*", "GRANT OPTION ON *.*", "PROXY ON ''@''"]
            ),
            User(name: "'vt_app'@'localhost'", grants: ["\(application) ON *.*"]),
            User(name: "'vt_appdebug'@'localhost'", grants: ["SELECT, SHOW DATABASES, PROCESS ON *.*"]),
            User(name: "'vt_allprivs'@'localhost'", grants: ["\(application), REPLICATION SLAVE ON *.*"]),
            User(name: "'vt_repl'@'%'", grants: ["REPLICATION SLAVE ON *.*"]),
            User(name: "'vt_filtered'@'localhost'", grants: ["\(application), REPLICATION SLAVE ON *.*"]),
            User(
                name: "'vt_monitoring'@'localhost'",
                grants: [
                    "SELECT, PROCESS, SUPER, REPLICATION CLIENT, RELOAD ON *.*",
                    "SELECT, UPDATE, DELETE, DROP ON performance_schema.*",
                ]
            ),
        ]
    )
    func users(_ user: User) throws {
        let statements = statements(MySQLVersion(9, 7, 4))
        let created = try #require(statements.firstIndex(of: "CREATE USER \(user.name);"))
        let grants = statements.filter { $0.hasPrefix("GRANT ") && $0.contains(" TO \(user.name)") }
        #expect(
            grants.map { $0.dropFirst(6).prefix(while: { $0 != ";" }).split(separator: " TO ")[0] }
                == user.grants.map { $0[...] }
        )
        for grant in grants { #expect(try #require(statements.firstIndex(of: grant)) > created) }
        #expect(statements.filter { $0.hasPrefix("CREATE USER") }.count == 7)
    }
}
