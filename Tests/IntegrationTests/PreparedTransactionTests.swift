import Glibc
import Host
import MySQLControl
import MySQLWire
import SystemPackage
import TestKit
import Testing

/// XA transactions that are prepared when a backup is taken: what they need lies in undo tablespaces.
@Suite("prepared XA transactions", .timeLimit(.minutes(60)))
struct PreparedTransactionTests {
    private func pass(_ shard: TestShard, _ flags: String..., extra: String? = nil) async throws -> ProgramRun {
        guard let extra else { return try await shard.vtbackup(flags) }
        let file = shard.folder.appending("extra.cnf")
        try FileTree.write(Array(extra.utf8), to: file)
        chmod(file.string, 0o644)
        return try await shard.vtbackup(flags, environment: ["EXTRA_MY_CNF": file.string])
    }

    /// A table with two rows, and a third one that is prepared.
    private func prepare(_ shard: TestShard) async throws {
        try await shard.primary.sql(
            "CREATE TABLE vt_commerce.t (id INT PRIMARY KEY)",
            "INSERT INTO vt_commerce.t VALUES (1), (2)"
        )
        try await shard.primary.sql(
            "XA START 'waits'",
            "INSERT INTO vt_commerce.t VALUES (3)",
            "XA END 'waits'",
            "XA PREPARE 'waits'"
        )
    }

    /// The newest backup, restored: the third row is neither committed nor lost, and its transaction can end.
    private func expectRestored(_ shard: TestShard, ending: String, rows: String) async throws {
        try await shard.withRestored { restored in
            let waiting = try await restored.sql("XA RECOVER").value("data")
            #expect(waiting == "waits")
            let before = try await restored.sql("SELECT COUNT(*) FROM vt_commerce.t").scalar
            #expect(before == "2")
            _ = try await restored.setSuperReadOnly(false)
            try await restored.sql("SET GLOBAL read_only = OFF", "\(ending) 'waits'")
            let after = try await restored.sql("SELECT COUNT(*) FROM vt_commerce.t").scalar
            #expect(after == rows)
        }
    }

    private func expectKept(
        _ product: TestServers.Product,
        extra: String? = nil,
        before: @escaping @Sendable (TestShard) async throws -> Void = { _ in }
    ) async throws {
        try await TestShard.with(product) { shard in
            try await prepare(shard)
            try await before(shard)
            let first = try await pass(shard, "--allow-first-backup", "--verify-after", extra: extra)
            #expect(first.succeeded, "\(first.standardError.suffix(3000))")
            #expect(first.standardError.contains("1 prepared XA transactions are in the backup"))
            try await expectRestored(shard, ending: "XA COMMIT", rows: "3")

            // The next pass has it from its base, and again from there.
            try await shard.primary.sql(
                "INSERT INTO vt_commerce.t VALUES (4)",
                "DELETE FROM vt_commerce.t WHERE id = 4"
            )
            let second = try await pass(shard, "--verify-after", extra: extra)
            #expect(second.succeeded, "\(second.standardError.suffix(3000))")
            try await expectRestored(shard, ending: "XA ROLLBACK", rows: "2")

            // Its end arrives after the backup.
            try await shard.primary.sql("XA COMMIT 'waits'")
            let third = try await pass(shard, "--verify-after", extra: extra)
            #expect(third.succeeded, "\(third.standardError.suffix(3000))")
            try await shard.withRestored { restored in
                let waiting = try await restored.sql("XA RECOVER").rows
                #expect(waiting.isEmpty)
                let rows = try await restored.sql("SELECT COUNT(*) FROM vt_commerce.t").scalar
                #expect(rows == "3")
            }
        }
    }

    @Test(
        "are in the backup, can be ended after a restore, and their end is replicated: MySQL",
        .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set")
    )
    func mysql() async throws { try await expectKept(.mysql) }

    @Test("the same on MySQL 8.0", .needs(.mysql80))
    func mysql80() async throws { try await expectKept(.mysql80) }

    @Test(
        "the same on MariaDB with undo tablespaces of their own",
        .enabled(if: RealComponents.runsMariaDB, "VT_MARIADB_ROOT is not set")
    )
    func mariaDB() async throws {
        try await expectKept(.mariaDB, extra: "innodb_undo_tablespaces = 2\n") { shard in
            // A log that only a keyring opens is no tablespace.
            let keys = shard.folder.appending("keys")
            try FileTree.write(Array("1;\(String(repeating: "a7", count: 32))\n".utf8), to: keys)
            chmod(keys.string, 0o644)
            let encrypted = try await pass(
                shard,
                "--allow-first-backup",
                extra:
                    "plugin-load-add = file_key_management\nfile_key_management_filename = \(keys)\ninnodb_encrypt_log = ON\n"
            )
            #expect(encrypted.exitCode == 1)
            #expect(
                encrypted.standardError.contains("innodb_encrypt_log = ON"),
                "\(encrypted.standardError.suffix(3000))"
            )
        }
    }

    @Test(
        "undo tablespaces elsewhere end a pass only when a prepared transaction needs them",
        .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set")
    )
    func elsewhere() async throws {
        try await TestShard.with { shard in
            let undo = shard.folder.appending("undo")
            try FileTree.createDirectory(undo, parents: true, owner: TestServers.user.fileOwner)
            try await prepare(shard)
            let extra = "innodb_undo_directory = \(undo)\n"
            let refused = try await pass(shard, "--allow-first-backup", extra: extra)
            #expect(refused.exitCode == 1)
            #expect(
                refused.standardError.contains(
                    "undo tablespaces lie in \(undo), outside of what the builtin engine copies, and 1 prepared XA"
                ),
                "\(refused.standardError.suffix(3000))"
            )
            #expect(try shard.backups().isEmpty)
            try FileTree.remove(undo)
            try FileTree.createDirectory(undo, parents: true, owner: TestServers.user.fileOwner)
            try await shard.primary.sql("XA ROLLBACK 'waits'")
            let allowed = try await pass(shard, "--allow-first-backup", extra: extra)
            #expect(allowed.succeeded, "\(allowed.standardError.suffix(3000))")
            #expect(allowed.standardError.contains("undo tablespaces lie in \(undo) and are not in the backup"))
        }
    }
}
