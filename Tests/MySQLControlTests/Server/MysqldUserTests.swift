import Glibc
import Host
import SystemPackage
import Testing

@testable import MySQLControl

@Suite("As whom mysqld runs")
struct MysqldUserTests {
    private static let someone = FileOwner(user: 12_345, group: 23_456)

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var user: MysqldUser
        var launcher: [String]
        var serverArguments: [String] = []
        var fileOwner: FileOwner?
    }

    @Test(
        "launcher, arguments and owner of files",
        arguments: [
            Case(
                testDescription: "as ourselves",
                user: .inherited,
                launcher: ["/usr/bin/setpriv", "--pdeathsig", "KILL", "--"]
            ),
            Case(
                testDescription: "as root",
                user: .root,
                launcher: ["/usr/bin/setpriv", "--pdeathsig", "KILL", "--"],
                serverArguments: ["--user=root"]
            ),
            Case(
                testDescription: "as another user without a name",
                user: .other(someone, name: nil),
                launcher: [
                    "/usr/bin/setpriv", "--pdeathsig", "KILL", "--reuid", "12345", "--regid", "23456", "--clear-groups",
                    "--",
                ],
                fileOwner: someone
            ),
            Case(
                testDescription: "as another user with a name",
                user: .other(someone, name: "mysql"),
                launcher: [
                    "/usr/bin/setpriv", "--pdeathsig", "KILL", "--reuid", "12345", "--regid", "23456", "--init-groups",
                    "--",
                ],
                fileOwner: someone
            ),
        ]
    )
    func launcher(_ test: Case) {
        #expect(test.user.launcher("/usr/bin/setpriv") == test.launcher)
        #expect(test.user.serverArguments == test.serverArguments)
        #expect(test.user.fileOwner == test.fileOwner)
    }

    @Test("who is not root stays who he is", .enabled(if: geteuid() != 0, "needs to run as another user than root"))
    func notRoot() throws {
        #expect(try MysqldUser.decide(allowRoot: true, dataRoot: "/nonexistent", mustEnter: []) == .inherited)
    }

    @Test("root stays root only when that is allowed", .enabled(if: geteuid() == 0, "needs root"))
    func allowed() throws {
        #expect(try MysqldUser.decide(allowRoot: true, dataRoot: "/nonexistent", mustEnter: []) == .root)
    }

    @Test("the owner of the data root runs mysqld if it is not root", .enabled(if: geteuid() == 0, "needs root"))
    func owner() throws {
        try withScratchFolder { folder in
            let root = folder.appending("vt")
            try prepare(folder, root)
            #expect(
                try MysqldUser.decide(allowRoot: false, dataRoot: root, mustEnter: ["/usr"])
                    == .other(Self.someone, name: nil)
            )
        }
    }

    @Test("a folder or file that the owner cannot reach is named", .enabled(if: geteuid() == 0, "needs root"))
    func blocked() throws {
        try withScratchFolder { folder in
            let root = folder.appending("vt")
            try prepare(folder, root)
            try FileTree.createDirectory(folder.appending("closed").appending("below"), parents: true)
            try FileTree.write([], to: folder.appending("extra.cnf"))
            chmod(folder.appending("extra.cnf").string, 0o640)
            for path in [folder.appending("closed").appending("below"), folder.appending("extra.cnf")] {
                let error = #expect(throws: MysqldError.self) {
                    try MysqldUser.decide(allowRoot: false, dataRoot: root, mustEnter: ["/usr", path])
                }
                #expect(error?.code == .installation)
                #expect(error?.message.contains("uid 12345") == true)
                #expect(error?.message.contains("cannot enter \(path)") == true)
                #expect(error?.message.contains("--allow-root") == true)
            }
        }
    }

    /// A data root of another user, in a folder that everybody may enter.
    private func prepare(_ folder: FilePath, _ root: FilePath) throws {
        chmod(folder.string, 0o755)
        try FileTree.createDirectory(root, parents: false, owner: Self.someone)
    }
}
