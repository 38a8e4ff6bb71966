import Glibc
import Host
import Logging
import MySQLWire
import NIOPosix
import SystemPackage
import TestKit
import Testing
import Vocabulary

@testable import MySQLControl

/// The log of our mysqld, which lies where its user may write.
@Suite("mysqld's error log", .timeLimit(.minutes(5)))
struct ErrorLogTests {
    private func mysqld(in folder: FilePath) throws -> Mysqld {
        let installation = MysqldInstallation(
            root: "/",
            baseDirectory: "/",
            mysqld: "/bin/true",
            version: try MySQLVersion(parsing: "/bin/true  Ver 9.7.0 for Linux"),
            versionText: ""
        )
        return Mysqld(
            installation: installation,
            configuration: MyCnf(directory: TabletDirectory(dataRoot: folder, uid: 1), serverID: 100, port: 0),
            user: .inherited,
            hooks: Hooks(root: "/nonexistent", limit: .seconds(1)),
            administrator: MySQLConnection.Credentials(user: "vt_dba"),
            eventLoops: MultiThreadedEventLoopGroup.singleton,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    @Test("a pipe, socket or link in its place is refused by name, and no start waits for it")
    func planted() async throws {
        try await withTemporaryFolder { folder in
            let mysqld = try mysqld(in: folder)
            try mysqld.directory.create(owner: nil)
            let (log, other) = (mysqld.directory.errorLog, folder.appending("other"))
            try FileTree.write(Array("secret".utf8), to: other)
            let plants: [(String) -> Int32] = [
                { mkfifo($0, 0o600) }, { mknod($0, S_IFSOCK | 0o600, 0) }, { symlink(other.string, $0) },
            ]
            for plant in plants {
                #expect(plant(log.string) == 0)
                let error = await #expect(throws: FileError.self) {
                    try await mysqld.runOnce("/bin/true", arguments: [])
                }
                #expect(error?.path == log)
                #expect(error?.description.contains("HINT:") == true)
                #expect(ErrorLogTail.text(log) == "mysql error log file is not a regular file: \(log)")
                #expect(unlink(log.string) == 0)
            }
            #expect(try FileTree.read(other, limit: 100) == Array("secret".utf8))
        }
    }
}
