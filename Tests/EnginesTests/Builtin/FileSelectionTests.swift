import Catalog
import Host
import MySQLControl
import SystemPackage
import TestKit
import Testing

@testable import Engines

@Suite("which files a backup holds")
struct FileSelectionTests {
    @Test("of the data directory itself: tablespaces, undo logs and Aria's log; no keys, no identity, nothing else")
    func topLevel() async throws {
        try await withTemporaryFolder { folder in
            let tablet = TabletDirectory(path: folder.appending("t"), uid: 1)
            try tablet.create(owner: nil)
            let wanted = [
                "aria_log.00000001", "aria_log_control", "general.ibd", "mysqld-auto.cnf", "own.ibu", "undo001",
                "undo_001", "undo_127",
            ]
            let others = [
                "#ib_16384_0.dblwr", "aria_log.1", "auto.cnf", "ca.pem", "component_keyring_file", "ddl_recovery.log",
                "keyring", "mysql_upgrade_history", "mysqld.my", "private_key.pem", "server-key.pem", "undo0012",
                "undo_1_trunc.log", "undo_0011", "xundo001",
            ]
            for name in wanted + others + ["mysql.ibd"] { try FileTree.write([1], to: tablet.data.appending(name)) }
            let files = try FileSelection.files(of: tablet).filter { $0.base == .data }
            #expect(files.map(\.name) == ["mysql.ibd"] + wanted)
            // Those that MySQL makes anew, when they are not to be had.
            let fewer = try FileSelection.files(of: tablet, leavesOutUndo: true).filter { $0.base == .data }
            #expect(fewer.map(\.name) == ["mysql.ibd"] + wanted.filter { !$0.hasPrefix("undo_") })
        }
    }

    @Test("undo tablespaces of a folder of their own, directly in the data directory or in InnoDB's")
    func undoFolder() async throws {
        try await withTemporaryFolder { folder in
            let tablet = TabletDirectory(path: folder.appending("t"), uid: 1)
            try tablet.create(owner: nil)
            let paths = [
                tablet.data.appending("undo").appending("undo_001"), tablet.data.appending("undo").appending("note"),
                tablet.data.appending("undo").appending("own.ibu"),
                tablet.data.appending("#innodb_temp").appending("t.ibt"),
                tablet.innodbData.appending("undo_002"),
            ]
            for path in paths {
                try FileTree.createDirectory(path.removingLastComponent(), parents: true)
                try FileTree.write([1], to: path)
            }
            let files = try FileSelection.files(of: tablet)
            #expect(
                files.map { "\($0.base.rawValue) \($0.name)" } == [
                    "InnoDBData undo_002", "Data undo/own.ibu", "Data undo/undo_001",
                ]
            )
        }
    }
}
