import Glibc
import Host
import MySQLControl
import MySQLWire
import SystemPackage
import TestKit
import Testing

/// What a first backup makes of the primary's files and settings.
@Suite(
    "files of a backup",
    .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set"),
    .timeLimit(.minutes(60))
)
struct FilesOfABackupTests {
    /// Bytes that a file takes on its disk.
    private func allocated(_ path: FilePath) async throws -> Int {
        let run = try await Programs.run("/usr/bin/stat", ["--format=%b", path.string])
        return try #require(Int(run.standardOutput.filter(\.isNumber))) * 512
    }

    private func pass(_ shard: TestShard, extra: String) async throws -> ProgramRun {
        let file = shard.folder.appending("extra.cnf")
        try FileTree.write(Array(extra.utf8), to: file)
        chmod(file.string, 0o644)
        return try await shard.vtbackup(["--allow-first-backup"], environment: ["EXTRA_MY_CNF": file.string])
    }

    @Test("settings that the data depends on are compared with the primary's; holes of compressed pages stay holes")
    func settingsAndHoles() async throws {
        try await TestShard.with { shard in
            try await shard.primary.sql(
                "CREATE TABLE vt_commerce.pressed (id INT PRIMARY KEY, note LONGTEXT) COMPRESSION='zlib'",
                "INSERT INTO vt_commerce.pressed WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT i, repeat('x', 12000) FROM n"
            )
            for (setting, name) in [
                ("lower_case_table_names = 1", "lower_case_table_names is 0 there and 1 here"),
                ("innodb_data_file_path = ibdata1:20M;ibdata2:20M:autoextend", "innodb_data_file_path is ibdata1:12M"),
            ] {
                let refused = try await pass(shard, extra: "\(setting)\n")
                #expect(refused.exitCode == 1)
                #expect(refused.standardError.contains(name), "\(refused.standardError.suffix(3000))")
                #expect(try shard.backups().isEmpty)
            }
            let run = try await pass(shard, extra: "innodb_default_row_format = compact\n")
            #expect(run.succeeded, "\(run.standardError.suffix(3000))")
            #expect(run.standardError.contains("innodb_default_row_format is dynamic there and compact here"))
            #expect(run.standardError.contains("what was made there with sql_log_bin = 0"))
            let original = shard.primary.mysqld.directory.data.appending("vt_commerce").appending("pressed.ibd")
            let expected = try await shard.primary.checksums(of: "vt_commerce")
            try await shard.withRestored { restored in
                let copy = restored.mysqld.directory.data.appending("vt_commerce").appending("pressed.ibd")
                let size = try #require(try FileTree.status(copy)?.size)
                let (before, after) = (try await allocated(original), try await allocated(copy))
                #expect(size > 6 << 20)
                #expect(after < size / 2, "\(after) of \(size) bytes, \(before) on the primary")
                let found = try await restored.checksums(of: "vt_commerce")
                #expect(found == expected)
            }
        }
    }
}
