import MySQLWire
import Testing

@testable import MySQLControl

@Suite("What a server refuses for good")
struct ServerRefusalTests {
    /// Numbers of MySQL 5.7 to 9.7, MariaDB 10.11 and their clients.
    private static let table: [(errnos: [Int], refusal: ServerRefusal?)] = [
        ([1045, 1698], .credentials),
        ([1820, 1862], .expiredPassword),
        ([3118, 3955, 4151], .lockedAccount),
        ([3159], .demandsTLS),
        ([1130], .hostNotAllowed),
        ([1129], .hostBlocked),
        ([1043, 1251, 1275, 1524, 2049, 2054, 2059, 2061], .authenticationMethod),
        ([1044, 1142, 1227, 1370], .privilege),
        ([2026], .certificate),
        ([1597, 13_120], .replicaRefused),
        ([1593, 13_117], .sourceUnfit),
        // Too many connections, limits of a user, a server that starts, stops or is not there, deadlocks, a full disk.
        ([0, 1040, 1203, 1226, 1053, 2002, 2003, 2005, 2006, 2013, 1205, 1213, 1317, 1021, 1236, 3032], nil),
    ]

    @Test("every number has its class, and every class its numbers", arguments: table)
    func numbers(errnos: [Int], refusal: ServerRefusal?) {
        for errno in errnos { #expect(ServerRefusal(errno: errno) == refusal, "\(errno)") }
        #expect(ServerRefusal.allCases.allSatisfy { known in Self.table.contains { $0.refusal == known } })
    }

    @Test("errors of our own connections")
    func connections() {
        for (code, refusal) in [
            (.server(errno: 1862, sqlState: "HY000"), .expiredPassword), (.server(errno: 1040, sqlState: "08004"), nil),
            (.tls, .certificate), (.unsupported, .authenticationMethod), (.cannotConnect(errno: 2003), nil),
            (.connectionLost, nil), (.protocolViolation, nil), (.resultTooLarge, nil),
        ] as [(MySQLWireError.Code, ServerRefusal?)] {
            #expect(ServerRefusal(MySQLWireError(code, "in any language")) == refusal)
        }
    }

    @Test("hints name the flags of who logs in, and what is to be done", arguments: ServerRefusal.allCases)
    func hints(_ refusal: ServerRefusal) {
        #expect(!refusal.hint(.dba).contains("--db-repl"))
        #expect(!refusal.hint(.repl).contains("--db-dba"))
        #expect(!refusal.hint(.repl).isEmpty && !refusal.hint(.dba).isEmpty)
    }
}
