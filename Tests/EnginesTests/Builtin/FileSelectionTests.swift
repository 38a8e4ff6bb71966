import Catalog
import MySQLControl
import Streams
import SystemPackage
import TestKit
import Testing

@testable import Engines

@Suite("which files a backup holds")
struct FileSelectionTests {
    @Test("of the data directory itself: tablespaces, MariaDB's undo logs and Aria's log, and nothing else")
    func topLevel() async throws {
        try await withTemporaryFolder { folder in
            let tablet = TabletDirectory(path: folder.appending("t"), uid: 1)
            try tablet.create(owner: nil)
            let wanted = [
                "aria_log.00000001", "aria_log_control", "general.ibd", "mysqld-auto.cnf", "own.ibu", "undo001",
            ]
            let others = [
                "aria_log.1", "auto.cnf", "ca.pem", "ddl_recovery.log", "mysql_upgrade_info", "undo0012", "undo_001",
                "xundo001",
            ]
            for name in wanted + others + ["mysql.ibd"] { try FileTree.write([1], to: tablet.data.appending(name)) }
            let files = try FileSelection.files(of: tablet).filter { $0.base == .data }
            #expect(files.map(\.name) == ["mysql.ibd"] + wanted)
        }
    }
}
