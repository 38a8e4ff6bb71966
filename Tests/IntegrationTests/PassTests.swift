import Catalog
import FoundationEssentials
import Glibc
import Host
import MySQLControl
import MySQLWire
import Positions
import SystemPackage
import TestKit
import Testing
import Vocabulary

/// The program itself on a real shard, from outside: flags in, exit code, storage and messages out.
@Suite(
    "vtbackup on MySQL",
    .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set"),
    .timeLimit(.minutes(60))
)
struct PassTests {
    private func fill(_ shard: TestShard) async throws {
        try await shard.primary.sql(
            "CREATE TABLE vt_commerce.customer (id BIGINT PRIMARY KEY AUTO_INCREMENT, email VARCHAR(64), note TEXT)",
            "INSERT INTO vt_commerce.customer (email, note) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT concat('user', i, '@example.test'), repeat('x', i) FROM n"
        )
    }

    private func expectNothingLeft(_ shard: TestShard) throws {
        #expect(try FileTree.list(shard.dataRoot) == [], "the tablet folder is gone")
    }

    @Test("one codec after another: each pass restores what the one before has written")
    func codecs() async throws {
        try await TestShard.with { shard in
            try await fill(shard)
            let passes: [[String]] = [
                ["--allow-first-backup", "--compression-engine-name=zstd"],
                ["--compression-engine-name=lz4", "--compression-level=2"],
                [
                    "--compression-engine-name=external", "--external-compressor=xz -0",
                    "--manifest-external-decompressor=xz -dc",
                ],
                ["--external-decompressor-use-manifest", "--backup-storage-compress=false"],
                ["--compression-engine-name=pgzip", "--backup-storage-number-blocks=1", "--concurrency=1"],
            ]
            for flags in passes {
                let run = try await shard.vtbackup(flags)
                #expect(run.succeeded, "\(flags): \(run.standardError.suffix(3000))")
            }
            let check = try await shard.verifyIndependently()
            #expect(check.succeeded, "\(check.standardOutput)")
            #expect(try shard.backups().count == passes.count)
            let expected = try await shard.primary.checksums(of: "vt_commerce")
            try await shard.withRestored { restored in
                let found = try await restored.checksums(of: "vt_commerce")
                #expect(found == expected)
            }

            let third = try shard.backups()[2].lastComponent?.string ?? ""
            let refused = try await shard.vtbackup("--restore-to=\(shard.folder)/x", "--backup-name=\(third)")
            #expect(refused.exitCode == 1)
            #expect(refused.standardError.contains("You need to provide --external-decompressor"))
            let lying = try await shard.vtbackup(
                "--restore-to=\(shard.folder)/x",
                "--backup-name=\(third)",
                "--external-decompressor=sh -c 'echo no such luck >&2; exit 7'"
            )
            #expect(lying.exitCode == 1)
            #expect(lying.standardError.contains("decompressor stderr: no such luck"))
            #expect(lying.standardError.contains("exited with status 7"))
        }
    }

    @Test("first backup, second pass, pruning, listing and restore")
    func wholeLife() async throws {
        try await TestShard.with { shard in
            try await fill(shard)
            let refused = try await shard.vtbackup()
            #expect(refused.exitCode == 1)
            #expect(
                refused.standardError.contains(
                    "no existing backups to restore from; backup is not possible since --initial_backup flag was not enabled"
                )
            )

            let first = try await shard.vtbackup("--allow-first-backup")
            #expect(first.succeeded, "\(first.standardError.suffix(3000))")
            let firstManifest = try shard.newestManifest()
            #expect(firstManifest.position == .mysql56(try GTIDSet(try await executed(shard.primary))))

            try await shard.primary.sql(
                "UPDATE vt_commerce.customer SET note = 'changed' WHERE id % 3 = 0",
                "CREATE TABLE vt_commerce.later (id INT PRIMARY KEY)"
            )
            let second = try await shard.vtbackup("--min-retention-time=1ms")
            #expect(second.succeeded, "\(second.standardError.suffix(3000))")
            #expect(
                second.standardError.contains(
                    "Restore: found latest backup commerce/0 \(firstManifest.backupName) to restore"
                )
            )
            #expect(second.standardError.contains("Removing old backup \(firstManifest.backupName) from commerce/0"))
            #expect(try shard.backups().count == 1)
            let manifest = try shard.newestManifest()
            #expect(manifest.position == .mysql56(try GTIDSet(try await executed(shard.primary))))
            try expectNothingLeft(shard)

            let check = try await shard.verifyIndependently()
            #expect(check.succeeded, "\(check.standardOutput)")

            let listing = try await shard.vtbackup("--list-backups", "--json")
            #expect(listing.standardOutput.contains("\"name\" : \"\(manifest.backupName)\""))
            #expect(listing.standardOutput.contains("\"complete\" : true"))

            let expected = try await shard.primary.checksums(of: "vt_commerce")
            try await shard.withRestored { restored in
                let found = try await restored.checksums(of: "vt_commerce")
                let (here, there) = (try await executed(restored), try await executed(shard.primary))
                #expect(found == expected)
                #expect(here == there)
            }
        }
    }

    @Test(
        "every switch of a pass does what it says",
        arguments: [
            ["--backup-storage-compress=false"], ["--compression-level=0"],
            ["--compression-level=9", "--backup-storage-block-size=65536"],
            ["--compression-engine-name=pgzip", "--backup-storage-number-blocks=1", "--concurrency=1"],
            ["--disable-redo-log", "--upgrade-safe"], ["--restart-before-backup"],
        ]
    )
    func switches(_ flags: [String]) async throws {
        try await TestShard.with { shard in
            try await fill(shard)
            let first = try await Programs.run(
                Programs.path("vtbackup"),
                shard.flags + ["--allow-first-backup"] + flags,
                environment: ["VTDATAROOT": shard.dataRoot.string]
            )
            #expect(first.succeeded, "\(first.standardError.suffix(3000))")
            try await shard.primary.sql("DELETE FROM vt_commerce.customer WHERE id > 800")
            let second = try await Programs.run(
                Programs.path("vtbackup"),
                shard.flags + flags,
                environment: ["VTDATAROOT": shard.dataRoot.string]
            )
            #expect(second.succeeded, "\(second.standardError.suffix(3000))")
            let check = try await shard.verifyIndependently()
            #expect(check.succeeded, "\(check.standardOutput)")
            let manifest = try shard.newestManifest()
            #expect(manifest.upgradeSafe == flags.contains("--upgrade-safe"))
            #expect(manifest.builtin?.skipCompress == flags.contains("--backup-storage-compress=false"))
            let expected = try await shard.primary.checksums(of: "vt_commerce")
            try await shard.withRestored { restored in
                let found = try await restored.checksums(of: "vt_commerce")
                #expect(found == expected)
            }
        }
    }

    @Test("an initial backup seeds a shard once, and refuses when a tablet may be serving")
    func initialBackup() async throws {
        try await TestShard.with { shard in
            let refused = try await shard.vtbackup("--initial-backup")
            #expect(refused.exitCode == 1)
            #expect(
                refused.standardError.contains(
                    "refusing to upload initial backup of empty database: the shard commerce/0 already has at least one tablet that may be serving (zone1-0000000101); you must take a backup from a live tablet instead"
                )
            )
            #expect(try shard.backups().isEmpty)

            // Another shard, of which the topology knows nothing.
            let seeded = try await shard.vtbackup("--init-keyspace=fresh", "--initial-backup")
            #expect(seeded.succeeded, "\(seeded.standardError.suffix(3000))")
            #expect(seeded.standardError.contains("Initial backup successful."))
            let again = try await shard.vtbackup("--init-keyspace=fresh", "--initial-backup")
            #expect(again.succeeded)
            #expect(again.standardError.contains("there's no need to seed an empty backup"))
            let folder = shard.storageRoot.appending("fresh").appending("0")
            #expect(try FileTree.list(folder)?.count == 1)
            try expectNothingLeft(shard)
        }
    }

    @Test("init SQL queries run before the copy and leave no errant transaction")
    func initQueries() async throws {
        try await TestShard.with { shard in
            try await fill(shard)
            let flags = [
                "--init-backup-tablet-types=backup", "--init-backup-sql-timeout=30s", "--init-backup-sql-fail-on-error",
            ]
            let wrong = try await Programs.run(
                Programs.path("vtbackup"),
                shard.flags + flags + ["--allow-first-backup", "--init-backup-sql-queries=SELECT nonsense"],
                environment: ["VTDATAROOT": shard.dataRoot.string]
            )
            #expect(wrong.exitCode == 1)
            #expect(wrong.standardError.contains("failed to execute backup init SQL queries"))
            #expect(try shard.backups().isEmpty)
            let run = try await Programs.run(
                Programs.path("vtbackup"),
                shard.flags + flags + [
                    "--allow-first-backup",
                    "--init-backup-sql-queries=CREATE TABLE vt_commerce.scratch (id INT PRIMARY KEY)",
                ],
                environment: ["VTDATAROOT": shard.dataRoot.string]
            )
            #expect(run.succeeded, "\(run.standardError.suffix(3000))")
            #expect(try shard.newestManifest().position == .mysql56(try GTIDSet(try await executed(shard.primary))))
            try await shard.withRestored { restored in
                let found = try await restored.checksums(of: "vt_commerce")
                #expect(found["scratch"] == "0")
            }
        }
    }

    @Test("a shard folder with foreign, incomplete and damaged entries does not stop a pass")
    func oddStorage() async throws {
        try await TestShard.with { shard in
            try await fill(shard)
            #expect(try await shard.vtbackup("--allow-first-backup").succeeded)
            let good = try shard.newestManifest().backupName
            let folder = shard.storageRoot.appending("commerce").appending("0")
            for (name, manifest) in [
                ("lost+found", nil), ("2020-01-01.000000.zone1-0000000001", nil),
                ("2999-01-01.000000.zone1-0000000001", "{\"BackupName\": "),
            ] as [(String, String?)] {
                try FileTree.createDirectory(folder.appending(name), parents: true)
                if let manifest {
                    try FileTree.write(Array(manifest.utf8), to: folder.appending(name).appending("MANIFEST"))
                }
            }
            let run = try await shard.vtbackup("--min-retention-time=1h")
            #expect(run.succeeded, "\(run.standardError.suffix(3000))")
            #expect(run.standardError.contains("Possibly incomplete backup 2999-01-01.000000.zone1-0000000001"))
            #expect(run.standardError.contains("Removing old backup 2020-01-01.000000.zone1-0000000001"))
            let names = try FileTree.list(folder) ?? []
            #expect(names.contains("lost+found"))
            #expect(names.contains(good))
            #expect(!names.contains("2020-01-01.000000.zone1-0000000001"))
            #expect(names.contains("2999-01-01.000000.zone1-0000000001"))
        }
    }

    @Test("a damaged object is read again, then named; nothing starts on it")
    func damagedBase() async throws {
        try await TestShard.with { shard in
            try await fill(shard)
            #expect(try await shard.vtbackup("--allow-first-backup").succeeded)
            let backup = try #require(try shard.backups().last)
            let manifest = try shard.newestManifest()
            let index = try #require(manifest.builtin?.files.firstIndex { $0.name.hasSuffix("customer.ibd") })
            let object = backup.appending(String(index))
            var bytes = try #require(try FileTree.read(object, limit: 64 << 20))
            bytes[bytes.count / 2] ^= 0x40
            try FileTree.write(bytes, to: object)
            let run = try await shard.vtbackup()
            #expect(run.exitCode == 1)
            #expect(run.standardError.contains("object \(index) of backup \(manifest.backupName)"))
            #expect(run.standardError.contains("vt_commerce/customer.ibd"))
            #expect(run.standardError.contains("attempt 2/2"))
            #expect(!run.standardError.contains("Mysqld.Shutdown"), "no mysqld was started")
            #expect(try shard.backups().count == 1)
            try expectNothingLeft(shard)
            #expect(try await shard.verifyIndependently().exitCode == 1, "the independent check sees it, too")
        }
    }

    @Test("a general tablespace and a user-made undo tablespace come back")
    func tablespaces() async throws {
        try await TestShard.with { shard in
            try await shard.primary.sql(
                "CREATE TABLESPACE reports ADD DATAFILE 'reports.ibd'",
                "CREATE TABLE vt_commerce.report (id INT PRIMARY KEY, t TEXT) TABLESPACE reports",
                "INSERT INTO vt_commerce.report VALUES (1, repeat('r', 5000)), (2, 'two')"
            )
            #expect(try await shard.vtbackup("--allow-first-backup").succeeded)
            let second = try await shard.vtbackup()
            #expect(second.succeeded, "\(second.standardError.suffix(3000))")
            let check = try await shard.verifyIndependently()
            #expect(check.succeeded, "\(check.standardOutput)")
            let expected = try await shard.primary.checksums(of: "vt_commerce")
            try await shard.withRestored { restored in
                let found = try await restored.checksums(of: "vt_commerce")
                #expect(found == expected)
            }
        }
    }

    @Test("a server on other folders than ours is refused before anything is done to it")
    func otherFolders() async throws {
        try await TestShard.with { shard in
            let extra = shard.folder.appending("extra.cnf")
            try FileTree.write(Array("pid-file = \(shard.dataRoot)/other.pid\n".utf8), to: extra)
            chmod(extra.string, 0o644)
            let run = try await shard.vtbackup("--allow-first-backup", environment: ["EXTRA_MY_CNF": extra.string])
            #expect(run.exitCode == 1)
            #expect(run.standardError.contains("has @@pid_file = \(shard.dataRoot)/other.pid, not "))
            #expect(try shard.backups().isEmpty)
        }
    }

    @Test("--restore-to stays in its folder, whatever stands beside it")
    func restoreBeside() async throws {
        try await TestShard.with { shard in
            #expect(try await shard.vtbackup("--allow-first-backup").succeeded)
            let parent = shard.folder.appending("x")
            try FileTree.createDirectory(parent.appending("data").appending("r"), parents: true)
            try FileTree.write(Array("keep".utf8), to: parent.appending("data").appending("r").appending("mysql.ibd"))
            let run = try await shard.vtbackup("--restore-to=\(parent.appending("r"))")
            #expect(run.succeeded, "\(run.standardError.suffix(2000))")
            let kept = try FileTree.read(parent.appending("data").appending("r").appending("mysql.ibd"), limit: 100)
            #expect(kept == Array("keep".utf8))
            #expect(
                try FileTree.status(parent.appending("r").appending("data"), followLinks: false)?.kind == .directory
            )
            let again = try await shard.vtbackup("--restore-to=\(parent.appending("r"))")
            #expect(again.exitCode == 1)
            #expect(
                again.standardError.contains("it is not empty; HINT: give a folder that is empty or does not exist")
            )
        }
    }

    @Test("a vt_* user that the primary's binary log creates is explained")
    func clashingUser() async throws {
        try await TestShard.with { shard in
            try await shard.primary.sql(
                "CREATE USER 'vt_app'@'%'",
                "DROP USER 'vt_app'@'%'",
                "DROP USER 'vt_app'@'localhost'",
                "CREATE USER 'vt_app'@'localhost'",
                "CREATE USER IF NOT EXISTS 'vt_x'@'localhost'"
            )
            // The init SQL has made vt_filtered here; the primary's log makes it as well.
            try await shard.primary.sql(
                "SET sql_log_bin = 0",
                "DROP USER 'vt_filtered'@'localhost'",
                "SET sql_log_bin = 1",
                "CREATE USER 'vt_filtered'@'localhost'"
            )
            let run = try await shard.vtbackup("--allow-first-backup")
            #expect(run.exitCode == 1)
            #expect(run.standardError.contains("vt_filtered"))
            #expect(run.standardError.contains("HINT: run the primary's init SQL with sql_log_bin=0"))
            try expectNothingLeft(shard)
        }
    }

    private func executed(_ server: RunningMysqld) async throws -> String {
        (try await server.sql("SELECT @@global.gtid_executed").scalar ?? "").filter { !$0.isWhitespace }
    }
}
