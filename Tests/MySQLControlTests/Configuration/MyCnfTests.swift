import SystemPackage
import Testing
import Vocabulary

@testable import MySQLControl

@Suite("my.cnf")
struct MyCnfTests {
    private let cnf = MyCnf(directory: TabletDirectory(dataRoot: "/vt", uid: 100), serverID: 1_234_567, port: 17_100)

    struct Server: Sendable, CustomTestStringConvertible {
        var version: MySQLVersion
        var fixture: String
        var testDescription: String { "\(version.product) \(version)" }
    }

    @Test(
        "of each series is as written down",
        arguments: [
            Server(version: MySQLVersion(8, 0, 20), fixture: "my.cnf/mysql-8.0.20.cnf"),
            Server(version: MySQLVersion(8, 0, 36), fixture: "my.cnf/mysql-8.0.36.cnf"),
            Server(version: MySQLVersion(8, 4, 5), fixture: "my.cnf/mysql-8.4.5.cnf"),
            Server(version: MySQLVersion(9, 7, 4), fixture: "my.cnf/mysql-9.7.4.cnf"),
            Server(version: MySQLVersion(product: .mariadb, 10, 11, 6), fixture: "my.cnf/mariadb-10.11.6.cnf"),
        ]
    )
    func golden(_ server: Server) throws {
        try Fixtures.expect(try cnf.text(version: server.version), equals: server.fixture)
    }

    struct Series: Sendable, CustomTestStringConvertible {
        var version: MySQLVersion
        /// One of the same series; `nil`: there is no fragment.
        var like: MySQLVersion?
        var testDescription: String { "\(version.product) \(version)" }
    }

    @Test(
        "the series of a version",
        arguments: [
            Series(version: MySQLVersion(8, 0, 0), like: MySQLVersion(8, 0, 20)),
            Series(version: MySQLVersion(8, 0, 25), like: MySQLVersion(8, 0, 20)),
            Series(version: MySQLVersion(8, 0, 26), like: MySQLVersion(8, 0, 36)),
            Series(version: MySQLVersion(product: .percona, 8, 0, 34), like: MySQLVersion(8, 0, 36)),
            Series(version: MySQLVersion(8, 1, 0), like: MySQLVersion(8, 0, 36)),
            Series(version: MySQLVersion(8, 3, 9), like: MySQLVersion(8, 0, 36)),
            Series(version: MySQLVersion(8, 4, 0), like: MySQLVersion(8, 4, 5)),
            Series(version: MySQLVersion(8, 9, 1), like: MySQLVersion(8, 4, 5)),
            Series(version: MySQLVersion(9, 0, 0), like: MySQLVersion(9, 7, 4)),
            Series(version: MySQLVersion(5, 6, 51), like: nil),
            Series(
                version: MySQLVersion(product: .mariadb, 10, 6, 1),
                like: MySQLVersion(product: .mariadb, 10, 11, 6)
            ),
            Series(version: MySQLVersion(product: .mariadb, 11, 4, 2), like: nil),
        ]
    )
    func series(_ test: Series) {
        #expect(MyCnfFragment.fragment(for: test.version) == test.like.flatMap { MyCnfFragment.fragment(for: $0) })
        #expect((MyCnfFragment.fragment(for: test.version) == nil) == (test.like == nil))
    }

    @Test("5.7 has what later servers refuse")
    func mysql57() throws {
        let text = try cnf.text(version: MySQLVersion(5, 7, 44))
        for line in ["expire_logs_days = 3", "master_info_repository = TABLE", "super-read-only", "log_slave_updates"] {
            #expect(text.contains("\n\(line)\n"), "\(line)")
        }
        let modern = try cnf.text(version: MySQLVersion(9, 7, 4))
        for name in [
            "expire_logs_days", "_repository", "default_authentication_plugin", "mysql_native_password", "_master_",
        ] {
            #expect(!modern.contains(name), "9.7 would not start with \(name)")
        }
    }

    @Test("a server without a fragment gets what every server gets")
    func unknownServer() throws {
        let text = try cnf.text(version: MySQLVersion(5, 6, 51))
        #expect(text.hasPrefix("[mysqld]\n"))
        #expect(text.contains("datadir = /vt/vt_0000000100/data\n"))
        #expect(!text.contains("gtid_mode"))
    }

    @Test("extra fragments come behind ours, each with its path, with fields filled in; the last word is ours again")
    func extra() throws {
        let extra = [
            (path: "/etc/a.cnf", text: "max_connections = 7"),
            (path: "/etc/b.cnf", text: "report-port = {{.MysqlPort}}\n[client]\nport = 1"),
        ]
        let version = MySQLVersion(9, 7, 4)
        let last = try cnf.render(MyCnfFragment.lastWord(for: version))
        #expect(last.hasPrefix("[mysqld]\n"))
        let text = try cnf.text(version: version, extra: extra)
        let own = "## /etc/a.cnf\nmax_connections = 7\n## /etc/b.cnf\nreport-port = 17100\n[client]\nport = 1\n"
        #expect(text.hasSuffix(own + last))
        let plain = try cnf.text(version: version)
        #expect(plain.hasSuffix(last))
        #expect(text.hasPrefix(plain.dropLast(last.count)))
        #expect(try cnf.render("[mysqld]\nevent_scheduler = ON", version: version).hasSuffix("ON\n" + last))
    }

    @Test(
        "the named time zone of a my.cnf is found",
        arguments: [
            ("default_time_zone = 'Europe/Berlin'", "Europe/Berlin"),
            ("default-time-zone=SYSTEM\n default-time-zone = UTC # of here", "UTC"),
            ("default-time-zone = \"+02:00\"", nil), ("default_time_zone=SYSTEM", nil), ("#default_time_zone=UTC", nil),
            ("", nil), ("default_time_zone=", nil),
        ] as [(String, String?)]
    )
    func timeZone(text: String, zone: String?) {
        #expect(MyCnfFragment.namedTimeZone(in: text) == zone)
    }

    @Test("a socket elsewhere is the one that is written")
    func socket() throws {
        let cnf = MyCnf(directory: cnf.directory, serverID: 1, port: 2, socket: "/run/m.sock")
        #expect(try cnf.text(version: MySQLVersion(9, 7, 4)).contains("\nsocket = /run/m.sock\n"))
        #expect(self.cnf.socket == "/vt/vt_0000000100/mysql.sock")
    }

    @Test(
        "a path is read back as it is",
        arguments: [
            ("/run/a#b.sock", "\"/run/a#b.sock\""), ("/run/a\\b", "\"/run/a\\\\b\""), ("/run/a\"#", "'/run/a\"#'"),
            ("/run/a b", "/run/a b"), ("/run/it's", "\"/run/it's\""), ("/run/x ", "\"/run/x \""),
        ]
    )
    func paths(path: String, written: String) throws {
        let cnf = MyCnf(directory: cnf.directory, serverID: 1, port: 2, socket: FilePath(path))
        #expect(try cnf.render("socket = {{.SocketFile}}") == "socket = \(written)")
    }

    @Test("a path that my.cnf cannot hold is refused", arguments: ["/run/a\nb", "/run/\"'"])
    func impossiblePath(path: String) {
        let cnf = MyCnf(directory: cnf.directory, serverID: 1, port: 2, socket: FilePath(path))
        let error = #expect(throws: MysqldError.self) { try cnf.render("socket = {{.SocketFile}}") }
        #expect(error?.description.contains("HINT: use a VTDATAROOT") == true)
    }

    @Test("a server id is at least 100 and fits into a signed number")
    func serverID() {
        // No constant generator: the standard library draws again until a number is unbiased.
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<10_000 {
            let id = MyCnf.randomServerID(using: &generator)
            #expect((100...2_147_483_647).contains(id))
        }
    }
}
