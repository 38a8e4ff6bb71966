import Positions
import Testing
import Vocabulary

@testable import MySQLControl

@Suite("Statements about replication")
struct ReplicationDialectTests {
    struct Server: Sendable, CustomTestStringConvertible {
        var version: MySQLVersion
        var dialect: ReplicationDialect
        var testDescription: String { "\(version.product) \(version)" }
    }

    @Test(
        "the dialect of a server",
        arguments: [
            Server(version: MySQLVersion(5, 7, 44), dialect: .legacy),
            Server(version: MySQLVersion(8, 0, 25), dialect: .legacy),
            Server(version: MySQLVersion(8, 0, 26), dialect: .mysql8026),
            Server(version: MySQLVersion(product: .percona, 8, 0, 36), dialect: .mysql8026),
            Server(version: MySQLVersion(8, 1, 0), dialect: .mysql8026),
            Server(version: MySQLVersion(8, 2, 0), dialect: .modern),
            Server(version: MySQLVersion(8, 4, 5), dialect: .modern),
            Server(version: MySQLVersion(9, 7, 4), dialect: .modern),
            Server(version: MySQLVersion(26, 1, 0), dialect: .modern),
            Server(version: MySQLVersion(product: .mariadb, 10, 11, 6), dialect: .mariaDB),
        ]
    )
    func dialect(_ server: Server) {
        #expect(ReplicationDialect(server.version) == server.dialect)
    }

    /// Whoever does not quote it well lets it end early.
    private static let nastyPassword = "it's \\ \"quoted\"\\', SOURCE_HOST = 'evil'; -- \npässwörd"

    private func source(tls: Bool) -> ReplicationSource {
        var source = ReplicationSource(host: "db-1.example", port: 3306, user: "vt_repl'", password: Self.nastyPassword)
        if tls {
            var settings = ReplicationSource.TLS()
            settings.authorities = "/certs/it's ca.pem"
            settings.certificate = "/certs/client.pem"
            settings.key = "/certs/key.pem"
            source.tls = settings
        }
        return source
    }

    private func position(_ dialect: ReplicationDialect) throws -> Position {
        dialect == .mariaDB
            ? try Position("0-1-1234,2-1-7", flavor: .mariaDB)
            : try Position("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:11-18", flavor: .mysql56)
    }

    /// Everything that the dialect says, under headings.
    private func everything(_ dialect: ReplicationDialect) throws -> String {
        let none = "(none)"
        let sections: [(String, [String])] = [
            ("status", [dialect.status]),
            ("start", [dialect.start(source(tls: false))]),
            ("stop", [dialect.stop]),
            ("executed position", [dialect.executedPosition]),
            ("purged position", [dialect.purgedPosition ?? none]),
            ("server uuid", [dialect.serverUUID ?? none]),
            ("reset, no semi-sync", dialect.reset(semiSyncVariables: [])),
            (
                "reset, source names",
                dialect.reset(semiSyncVariables: ["rpl_semi_sync_replica_enabled", "rpl_semi_sync_source_enabled"])
            ),
            (
                "reset, master names",
                dialect.reset(semiSyncVariables: ["rpl_semi_sync_master_enabled", "rpl_semi_sync_slave_enabled"])
            ),
            ("set position", dialect.setPosition(try position(dialect))),
            ("set source", [dialect.setSource(source(tls: false))]),
            ("set source, TLS", [dialect.setSource(source(tls: true))]),
        ]
        return sections.map { "-- \($0.0)\n" + $0.1.map { "\($0);\n" }.joined() }.joined(separator: "\n")
    }

    @Test("are as written down", arguments: ReplicationDialect.allCases)
    func golden(dialect: ReplicationDialect) throws {
        try Fixtures.expect(try everything(dialect), equals: "replication/\(dialect).sql")
    }

    @Test("old words are gone from the modern ones", arguments: ["SLAVE", "MASTER"])
    func modern(word: String) throws {
        #expect(try !everything(.modern).contains(word))
    }

    @Test("TLS names only the files that there are, and the identity if it is verified")
    func tls() {
        var source = source(tls: false)
        source.tls = ReplicationSource.TLS()
        let plain = ReplicationDialect.modern.setSource(source)
        #expect(plain.contains("SOURCE_SSL = 1"))
        #expect(!plain.contains("SOURCE_SSL_"))
        #expect(!plain.contains("PUBLIC_KEY"))
        source.tls?.authorityFolder = "/certs"
        source.tls?.verifiesIdentity = true
        let verified = ReplicationDialect.legacy.setSource(source)
        #expect(verified.contains("MASTER_SSL_CAPATH = '/certs'"))
        #expect(verified.contains("MASTER_SSL_VERIFY_SERVER_CERT = 1"))
        #expect(verified.hasSuffix("MASTER_AUTO_POSITION = 1"))
    }

    @Test("the flavor of positions follows the dialect")
    func flavor() {
        #expect(ReplicationDialect.allCases.map(\.flavor) == [.mysql56, .mysql56, .mysql56, .mariaDB])
    }
}
