import Testing

@testable import MySQLControl

@Suite("Statements in logs and errors")
struct StatementLogTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var statement: String
        var shown: String
        var testDescription: String { shown }
    }

    @Test(
        "passwords are masked, and nothing else",
        arguments: [
            Case(statement: "STOP REPLICA", shown: "STOP REPLICA"),
            Case(
                statement:
                    "CHANGE REPLICATION SOURCE TO\n  SOURCE_USER = 'u',\n  SOURCE_PASSWORD = 'secret',\n  SOURCE_PORT = 1",
                shown:
                    "CHANGE REPLICATION SOURCE TO\n  SOURCE_USER = 'u',\n  SOURCE_PASSWORD = '****',\n  SOURCE_PORT = 1"
            ),
            Case(
                statement: "CHANGE MASTER TO\n  MASTER_PASSWORD = 'secret'",
                shown: "CHANGE MASTER TO\n  MASTER_PASSWORD = '****'"
            ),
            Case(statement: "CREATE USER u IDENTIFIED BY 'secret' x", shown: "CREATE USER u IDENTIFIED BY '****' x"),
            Case(statement: "SET PASSWORD = 'secret'", shown: "SET PASSWORD = '****'"),
            Case(statement: "x SOURCE_PASSWORD = '', y", shown: "x SOURCE_PASSWORD = '****', y"),
            Case(statement: "x SOURCE_PASSWORD = 'it''s secret', y", shown: "x SOURCE_PASSWORD = '****', y"),
            Case(statement: "x SOURCE_PASSWORD = 'it\\'s secret', y", shown: "x SOURCE_PASSWORD = '****', y"),
            Case(statement: "x SOURCE_PASSWORD = 'secret\\\\', y", shown: "x SOURCE_PASSWORD = '****', y"),
            Case(statement: "x SOURCE_PASSWORD = '''secret''', y", shown: "x SOURCE_PASSWORD = '****', y"),
            Case(statement: "x SOURCE_PASSWORD = 'secret, without end", shown: "x SOURCE_PASSWORD = '****"),
            Case(statement: "x SOURCE_PASSWORD = 'secret\\", shown: "x SOURCE_PASSWORD = '****"),
            Case(
                statement: "CREATE USER a IDENTIFIED BY 'secret', b IDENTIFIED BY 'secret too'",
                shown: "CREATE USER a IDENTIFIED BY '****', b IDENTIFIED BY '****'"
            ),
            Case(
                statement: "x SOURCE_PASSWORD = 'secret', y IDENTIFIED BY 'secret too'",
                shown: "x SOURCE_PASSWORD = '****', y IDENTIFIED BY '****'"
            ),
            Case(
                statement: "start replica user='u' password='secret'",
                shown: "start replica user='u' password='****'"
            ),
            Case(
                statement: "Change Master To Master_Password=\"se'cret\"",
                shown: "Change Master To Master_Password=\"****\""
            ),
            Case(statement: "SET PASSWORD\n=\tPASSWORD( 'secret' )", shown: "SET PASSWORD\n=\tPASSWORD( '****' )"),
            Case(
                statement: "alter user u identified with caching_sha2_password as 'secret' replace 'secret', v",
                shown: "alter user u identified with caching_sha2_password as '****' replace '****', v"
            ),
            Case(
                statement: "CREATE USER u IDENTIFIED/**/BY/**/'secret'",
                shown: "CREATE USER u IDENTIFIED/**/BY/**/'****'"
            ),
            Case(statement: "x IDENTIFIED WITH p AS 0x736563726574 y", shown: "x IDENTIFIED WITH p AS **** y"),
            Case(
                statement: "INSERT INTO t VALUES ('it''s', \"a\\\"b\", `c`)",
                shown: "INSERT INTO t VALUES ('it''s', \"a\\\"b\", `c`)"
            ),
            // Behind a quote, a combining mark makes another character of it, for us but not for the server.
            Case(statement: "x SOURCE_PASSWORD = '\u{301}secret', y", shown: "x SOURCE_PASSWORD = '****', y"),
            Case(statement: "x SOURCE_PASSWORD = 'se'\u{301}cret", shown: "x SOURCE_PASSWORD = '****'\u{301}cret"),
        ]
    )
    func masked(_ test: Case) {
        #expect(Array(StatementLog.masked(test.statement).unicodeScalars) == Array(test.shown.unicodeScalars))
    }

    @Test("whatever the password is, the statements that set and follow the source do not show it")
    func everyPassword() {
        for password in [
            "secret", "'secret", "secret'", "sec\\ret", "\\'secret\\", "'', secret ''", "\u{301}secret", "secret\n'",
        ] {
            for dialect in ReplicationDialect.allCases {
                let source = ReplicationSource(host: "h", port: 1, user: "u", password: password)
                let shown = [dialect.setSource(source), dialect.start(source)].map(StatementLog.masked).joined()
                #expect(!shown.contains("sec"), "\(shown)")
                #expect(shown.contains("PASSWORD = '****'"))
            }
        }
    }

    @Test("long statements are cut to 200 bytes, after masking", arguments: [199, 200, 201, 100_000])
    func cut(length: Int) {
        let statement = String(repeating: "x", count: length)
        #expect(StatementLog.masked(statement) == String(repeating: "x", count: min(length, 200)))
        let late = String(repeating: "x", count: 170) + " IDENTIFIED BY 'secret' more and more"
        #expect(StatementLog.masked(late) == String(repeating: "x", count: 170) + " IDENTIFIED BY '****' more and")
    }
}
