import Catalog
import FoundationEssentials
import Host
import Positions
import SystemPackage
import Testing
import Vocabulary

@testable import Workflows

/// Log lines that operators alert on, beside those that the real vtbackup 24.0.4 printed in passes of every kind.
@Suite("log lines of the real vtbackup")
struct GoldenLogTests {
    @Test("ours of the same passes are among them")
    func contract() throws {
        let file = FilePath(#filePath).removingLastComponent().appending("Fixtures").appending("vitess-24.0.4")
            .appending("vtbackup.log")
        let text = String(decoding: try #require(try FileTree.read(file, limit: 1 << 20)), as: UTF8.self)
        let lines = Set(text.split(separator: "\n").map { $0.dropFirst("INF ".count) })
        let shard = try ShardPath("commerce/0")
        let (base, made) = ("2026-11-29.011748.vtbackup-2861641666", "2026-11-29.011813.vtbackup-4043077537")
        let position = try Position(
            "8e50f450-eb92-11f1-b201-02fc00000001:1,9b72c817-eb92-11f1-9819-02fc00000001:1-432",
            flavor: .mysql56
        )
        for line in [
            ContractLog.pruningDisabled, ContractLog.backupSuccessful, ContractLog.initialBackupSuccessful,
            ContractLog.lookingForBackup, ContractLog.restoreComplete, ContractLog.startingBackup(made),
            ContractLog.usingEngine("builtin"), ContractLog.foundBackup(shard, base), ContractLog.restorePath(base),
            ContractLog.usingPosition(position), ContractLog.removing(base, shard, limit: 1),
            ContractLog.removingFolder("/vt/vtdataroot/vt_4043077537"),
        ] {
            #expect(lines.contains(Substring(line)), "\(line)")
        }
    }
}
