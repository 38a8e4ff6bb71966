import Glibc
import Host
import MySQLControl
import SystemPackage
import TestKit
import Testing

/// Settings that the data depends on, before hours of work and on a server that does not start.
@Suite(
    "settings of the primary",
    .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set"),
    .timeLimit(.minutes(60))
)
struct SettingsOfThePrimaryTests {
    private static let products: [TestServers.Product] =
        [.mysql] + (RealComponents.mysql80Root == nil ? [] : [.mysql80])
        + (RealComponents.runsMariaDB ? [.mariaDB] : [])

    private func pass(_ shard: TestShard, extra: String, _ flags: String...) async throws -> ProgramRun {
        let file = shard.folder.appending("extra.cnf")
        try FileTree.write(Array(extra.utf8), to: file)
        chmod(file.string, 0o644)
        return try await shard.vtbackup(flags, environment: ["EXTRA_MY_CNF": file.string])
    }

    /// Whether a server has run, or files were restored.
    private func hasWorked(_ run: ProgramRun) -> Bool {
        run.standardError.contains("Mysqld.Start") || run.standardError.contains("Restore: ")
    }

    @Test("others than the primary's are refused before anything is initialised or restored", arguments: products)
    func ahead(_ product: TestServers.Product) async throws {
        try await TestShard.with(product) { shard in
            let wrong = [
                ("lower_case_table_names = 1", "lower_case_table_names is 0 there and 1 here"),
                ("innodb_page_size = 8k", "innodb_page_size is 16384 there and 8192 here"),
            ]
            for (setting, name) in wrong {
                let refused = try await pass(shard, extra: setting + "\n", "--allow-first-backup")
                #expect(refused.exitCode == 1)
                #expect(refused.standardError.contains("\(name); HINT:"), "\(refused.standardError.suffix(3000))")
                #expect(!hasWorked(refused), "\(refused.standardError.suffix(3000))")
                #expect(try FileTree.list(shard.dataRoot) == [])
            }
            let first = try await pass(shard, extra: "", "--allow-first-backup")
            #expect(first.succeeded, "\(first.standardError.suffix(3000))")
            #expect(!first.standardError.contains("cannot tell before the restore"))
            for (setting, name) in wrong {
                let refused = try await pass(shard, extra: setting + "\n")
                #expect(refused.exitCode == 1)
                #expect(refused.standardError.contains("\(name); HINT:"), "\(refused.standardError.suffix(3000))")
                #expect(!hasWorked(refused), "\(refused.standardError.suffix(3000))")
            }
            #expect(try shard.backups().count == 1)
        }
    }

    @Test(
        "without a primary to ask, the setting that keeps mysqld from starting on the base is named, and no older base is tried",
        arguments: products
    )
    func onTheBase(_ product: TestServers.Product) async throws {
        try await TestShard.with(product) { shard in
            for _ in 1...2 {
                let run = try await pass(shard, extra: "", "--allow-first-backup", "--min-retention-count=2")
                #expect(run.succeeded, "\(run.standardError.suffix(3000))")
            }
            #expect(try shard.backups().count == 2)
            try shard.setPrimary(port: freePort())
            var wrong = [("innodb_page_size = 8k", "innodb_page_size is 16384 in the base and 8192 here")]
            // MariaDB starts with any.
            if product.isMySQL {
                wrong.append(("lower_case_table_names = 1", "lower_case_table_names is 0 in the base and 1 here"))
            }
            for (setting, name) in wrong {
                let refused = try await pass(shard, extra: setting + "\n")
                #expect(refused.exitCode == 1)
                #expect(
                    refused.standardError.contains("\(name); HINT: give vtbackup the primary's settings in"),
                    "\(refused.standardError.suffix(4000))"
                )
                #expect(!refused.standardError.contains("falling back"))
                #expect(try FileTree.list(shard.dataRoot) == [])
            }
        }
    }
}
