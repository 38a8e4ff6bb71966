import SystemPackage
import Testing
import Vocabulary

@testable import MySQLControl

/// The my.cnf that the real Vitess 24.0.4 made, beside ours for the same tablet: the same settings, in our words.
@Suite("my.cnf of the real Vitess")
struct GoldenMyCnfTests {
    struct Server: Sendable, CustomTestStringConvertible {
        var file: String
        var version: MySQLVersion
        var testDescription: String { file }
    }

    @Test(
        "has the settings of ours",
        arguments: [
            Server(file: "my.cnf.mysql-9.7", version: MySQLVersion(9, 7, 4)),
            Server(file: "my.cnf.mysql-8.0", version: MySQLVersion(8, 0, 15)),
        ]
    )
    func settings(_ server: Server) throws {
        let text = try Fixtures.text("vitess-24.0.4/\(server.file)")
        // What follows came from the operator's EXTRA_MY_CNF.
        let theirs = settings(text.split(separator: "\n## ")[0])
        let folder = try #require(theirs["datadir"]).replacing("/data", with: "")
        let uid = try #require(UInt32(folder.split(separator: "_").last ?? ""))
        let cnf = MyCnf(
            directory: TabletDirectory(dataRoot: "/vt/vtdataroot", uid: uid),
            serverID: try #require(theirs["server_id"].flatMap { UInt32($0) }),
            port: try #require(theirs["port"].flatMap { Int($0) })
        )
        // The last word is ours alone.
        let last = try cnf.render(MyCnfFragment.lastWord(for: server.version))
        let ours = settings(Substring(try cnf.text(version: server.version).dropLast(last.count)))
        #expect(ours == theirs)
    }

    /// Keys as the server takes them: `-` and `_` are the same.
    private func settings(_ text: Substring) -> [String: String] {
        var settings: [String: String] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") && !line.hasPrefix("[") {
            let parts = line.split(separator: "=", maxSplits: 1)
            let words = parts.map { $0.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed() }
            settings[String(words[0]).replacing("-", with: "_")] = words.count > 1 ? String(words[1]) : ""
        }
        settings[""] = nil
        return settings
    }
}
