import Testing

@testable import Vocabulary

@Suite("Server versions")
struct MySQLVersionTests {
    struct Text: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var version: MySQLVersion

        init(_ text: String, _ version: MySQLVersion) {
            (testDescription, self.version) = (text, version)
        }
    }

    @Test(
        "The first 'Ver x.y.z' counts",
        arguments: [
            Text("Ver 8.0.40 MySQL Community Server - GPL", MySQLVersion(8, 0, 40)),
            Text(
                "/usr/sbin/mysqld  Ver 8.0.36-28 for Linux on x86_64 (Percona Server (GPL))\n",
                MySQLVersion(product: .percona, 8, 0, 36)
            ),
            Text("Ver 10.11.6-MariaDB Debian", MySQLVersion(product: .mariadb, 10, 11, 6)),
            Text("mysqld Ver 9.7.0 for Linux, formerly Ver 8.4.1", MySQLVersion(9, 7, 0)),
        ]
    )
    func parses(_ sample: Text) throws {
        #expect(try MySQLVersion(parsing: sample.testDescription) == sample.version)
    }

    @Test(
        "Texts without one",
        arguments: ["8.0.40", "Ver 8.0", "ver 8.0.40", "Version 8.0.40", "Ver 12345678.0.0", "Ver  8.0.1"]
    )
    func refuses(_ text: String) {
        #expect(throws: VocabularyError("could not parse server version from: \(text)")) {
            try MySQLVersion(parsing: text)
        }
    }

    @Test("Order is by number, whatever the product")
    func order() {
        #expect(MySQLVersion(8, 0, 9) < MySQLVersion(product: .percona, 8, 0, 10))
        #expect(MySQLVersion(8, 4, 0) > MySQLVersion(8, 0, 99))
        #expect(MySQLVersion(10, 0, 0) > MySQLVersion(9, 9, 9))
        #expect(MySQLVersion(8, 0, 35).isAtLeast(8, 0, 35) && !MySQLVersion(8, 0, 34).isAtLeast(8, 0, 35))
        #expect(MySQLVersion(8, 4, 1).description == "8.4.1")
    }

    // MARK: Which server may start on which backup

    enum Verdict: Sendable { case ok, newer, older, tooNew }

    struct Case: CustomTestStringConvertible, Sendable {
        var backup: String
        var running: String
        var upgradeSafe: Bool
        var verdict: Verdict
        var testDescription: String { "\(backup) -> \(running)\(upgradeSafe ? ", upgrade safe" : "")" }

        init(_ backup: String, _ running: String, safe: Bool, _ verdict: Verdict) {
            (self.backup, self.running, upgradeSafe, self.verdict) = (backup, running, safe, verdict)
        }
    }

    @Test(
        "Which server may start on which backup",
        arguments: [
            // The vectors of the specification, section 12.
            Case("5.7.35", "8.0.23", safe: true, .ok), Case("5.7.35", "8.0.23", safe: false, .newer),
            Case("8.0.23", "5.7.35", safe: true, .older), Case("8.0.23", "5.7.35", safe: false, .older),
            Case("8.0.23", "8.0.34", safe: true, .ok), Case("8.0.23", "8.0.34", safe: false, .newer),
            Case("8.0.34", "8.0.23", safe: true, .older), Case("8.0.34", "8.0.23", safe: false, .older),
            Case("8.0.32", "8.0.36", safe: true, .ok), Case("8.0.32", "8.0.36", safe: false, .newer),
            Case("8.0.36", "8.0.32", safe: true, .older), Case("8.0.36", "8.0.32", safe: false, .older),
            Case("8.0.35", "8.0.36", safe: true, .ok), Case("8.0.35", "8.0.36", safe: false, .ok),
            Case("8.0.36", "8.0.35", safe: true, .ok), Case("8.0.36", "8.0.35", safe: false, .ok),
            Case("8.4.0", "8.4.1", safe: false, .ok), Case("8.4.1", "8.4.0", safe: false, .ok),
            Case("8.0.32", "8.4.0", safe: true, .ok), Case("8.0.32", "8.4.0", safe: false, .newer),
            Case("8.4.0", "8.0.32", safe: true, .older), Case("8.4.0", "8.0.32", safe: false, .older),
            Case("8.0.30", "8.0.30", safe: false, .ok), Case("8.0.35", "8.0.34", safe: true, .older),
            // Only the next LTS series takes over.
            Case("5.7.35", "8.4.0", safe: true, .tooNew), Case("5.7.35", "8.4.0", safe: false, .newer),
            Case("8.0.40", "9.7.0", safe: true, .tooNew), Case("8.4.5", "9.7.0", safe: true, .ok),
            Case("8.4.5", "9.7.0", safe: false, .newer), Case("9.7.0", "8.4.5", safe: true, .older),
            Case("8.4.0", "9.0.0", safe: true, .tooNew), Case("9.0.0", "9.1.0", safe: true, .newer),
            Case("8.1.0", "8.4.0", safe: true, .newer), Case("9.1.0", "9.0.0", safe: true, .older),
            Case("9.7.0", "9.8.0", safe: true, .tooNew), Case("9.7.0", "9.7.1", safe: false, .ok),
        ]
    )
    func compatibility(_ sample: Case) {
        let running = "mysqld  Ver \(sample.running) for Linux on x86_64 (MySQL Community Server - GPL)"
        let backup = "Ver \(sample.backup) MySQL Community Server - GPL"
        let expected: String? =
            switch sample.verdict {
            case .ok: nil
            case .newer:
                "running MySQL version \"\(running)\" is newer than backup MySQL version \"\(backup)\" which is not safe to upgrade"
            case .older: "running MySQL version \"\(running)\" is older than backup MySQL version \"\(backup)\""
            case .tooNew: "running MySQL version \"\(running)\" is too new for backup MySQL version \"\(backup)\""
            }
        #expect(MySQLVersion.refusal(running: running, backup: backup, upgradeSafe: sample.upgradeSafe) == expected)
    }

    @Test("No text, or the same one, is not looked at")
    func notChecked() {
        #expect(MySQLVersion.refusal(running: "Ver 8.0.40", backup: "", upgradeSafe: false) == nil)
        #expect(MySQLVersion.refusal(running: "nonsense", backup: "nonsense", upgradeSafe: false) == nil)
    }

    @Test("Products do not mix, even at the same version")
    func products() {
        let (percona, mysql) = ("Ver 8.0.40 Percona Server", "Ver 8.0.40 MySQL Community Server")
        #expect(
            MySQLVersion.refusal(running: mysql, backup: percona, upgradeSafe: true)
                == "cannot use backup between different flavors: \"\(percona)\" vs. \"\(mysql)\""
        )
        #expect(MySQLVersion.refusal(running: percona + " 1", backup: percona, upgradeSafe: false) == nil)
    }

    @Test("A text without a version is a reason as well")
    func unreadable() {
        let reason = "could not parse server version from: who knows"
        #expect(MySQLVersion.refusal(running: "Ver 8.0.40", backup: "who knows", upgradeSafe: true) == reason)
        #expect(MySQLVersion.refusal(running: "who knows", backup: "Ver 8.0.40", upgradeSafe: true) == reason)
    }
}
