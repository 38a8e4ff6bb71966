import Catalog
import MySQLControl
import SystemPackage
import Testing

@testable import Engines

@Suite("the folders of a manifest's bases")
struct TabletDirectoryBasesTests {
    @Test("are those of the tablet")
    func bases() {
        let directory = TabletDirectory(dataRoot: "/vt", uid: 1)
        let folders: [BaseDirectory: FilePath] = [
            .data: "/vt/vt_0000000001/data",
            .innodbData: "/vt/vt_0000000001/innodb/data",
            .innodbLog: "/vt/vt_0000000001/innodb/logs",
            .binLog: "/vt/vt_0000000001/bin-logs",
        ]
        for (base, folder) in folders { #expect(directory.folder(of: base) == folder) }
    }
}
