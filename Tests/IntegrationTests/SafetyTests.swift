import Catalog
import FoundationEssentials
import Glibc
import Host
import MySQLControl
import Positions
import SystemPackage
import TestKit
import Testing

/// What keeps a pass from making, or starting from, a backup that is no good.
@Suite(
    "safety of the pass on MySQL",
    .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set"),
    .timeLimit(.minutes(60))
)
struct SafetyTests {
    private func fill(_ shard: TestShard) async throws {
        try await shard.primary.sql(
            "CREATE TABLE vt_commerce.customer (id BIGINT PRIMARY KEY AUTO_INCREMENT, note LONGTEXT)",
            "INSERT INTO vt_commerce.customer (note) VALUES (repeat('x', 1000))"
        )
    }

    private func pass(_ shard: TestShard, _ flags: String...) async throws -> ProgramRun {
        let run = try await shard.vtbackup(flags)
        #expect(run.succeeded, "\(flags): \(run.standardError.suffix(3000))")
        return run
    }

    private func name(_ path: FilePath) -> String { path.lastComponent?.string ?? "" }

    // MARK: Errant transactions

    private static let errant = "11111111-2222-3333-4444-555555555555:1-3"

    /// Makes the newest backup claim transactions that the primary does not have.
    private func poison(_ shard: TestShard) throws {
        let path = try #require(try shard.backups().last).appending("MANIFEST")
        let text = String(decoding: try #require(try FileTree.read(path, limit: 1 << 20)), as: UTF8.self)
        let poisoned = text.replacing("\"Position\": \"MySQL56/", with: "\"Position\": \"MySQL56/\(Self.errant),")
        #expect(poisoned != text)
        try FileTree.write(Array(poisoned.utf8), to: path)
    }

    @Test(
        "a poisoned base is refused with its errant transactions, an older clean one is used; the flag takes it along"
    )
    func errantBase() async throws {
        try await TestShard.with { shard in
            try await fill(shard)
            _ = try await pass(shard, "--allow-first-backup")
            try poison(shard)
            let refused = try await shard.vtbackup()
            #expect(refused.exitCode == 1)
            #expect(
                refused.standardError.contains(
                    "holds transactions that the primary zone1-0000000101 does not have: \(Self.errant)"
                )
            )
            #expect(try shard.backups().count == 1)
            #expect(try FileTree.list(shard.dataRoot) == [])

            let allowed = try await pass(shard, "--allow-errant-gtids")
            #expect(allowed.standardError.contains("going on because of --allow-errant-gtids"))
            #expect(try shard.newestManifest().position.encoded.contains("11111111-2222"))
        }
        try await TestShard.with { shard in
            try await fill(shard)
            _ = try await pass(shard, "--allow-first-backup")
            _ = try await pass(shard)
            try poison(shard)
            let clean = name(try shard.backups()[0])
            // The poisoned one does not count among those to keep, and is nobody's to remove in this pass.
            let run = try await pass(shard, "--min-retention-time=1ms", "--min-retention-count=2")
            #expect(run.standardError.contains("CANNOT BE USED, falling back to an older one"))
            #expect(run.standardError.contains("Restore: RestorePath: [full:\(clean)]"))
            #expect(try !shard.newestManifest().position.encoded.contains("11111111-2222"))
            #expect(try shard.backups().map(name).contains(clean))
            #expect(try shard.backups().count == 3)
        }
    }

    @Test("a result with transactions that only this server has is not committed")
    func errantResult() async throws {
        try await TestShard.with { shard in
            try await fill(shard)
            _ = try await pass(shard, "--allow-first-backup")
            // The statement switches the binary log on again, and so becomes a transaction of its own.
            let run = try await shard.vtbackup(
                "--init-backup-sql-queries=SET sql_log_bin = 1,CREATE DATABASE errant",
                "--init-backup-tablet-types=backup",
                "--init-backup-sql-timeout=20s"
            )
            #expect(run.exitCode == 1)
            #expect(run.standardError.contains("not taking backup: the new backup holds transactions that the primary"))
            #expect(try shard.backups().count == 1)
            _ = try await pass(shard)
        }
    }

    // MARK: Damage

    @Test("a damaged newest backup is passed over loudly, and the pass makes a good one")
    func damagedNewest() async throws {
        try await TestShard.with { shard in
            try await fill(shard)
            _ = try await pass(shard, "--allow-first-backup")
            _ = try await pass(shard)
            let (good, bad) = (try shard.backups()[0], try shard.backups()[1])
            let object = bad.appending("3")
            var bytes = try #require(try FileTree.read(object, limit: 64 << 20))
            bytes[bytes.count / 2] ^= 0xff
            try FileTree.write(bytes, to: object)
            let run = try await pass(shard)
            #expect(run.standardError.contains("\(name(bad)) is listed as complete and CANNOT BE USED"))
            #expect(run.standardError.contains("Restore: RestorePath: [full:\(name(good))]"))
            #expect(try shard.backups().count == 3)
            let expected = try await shard.primary.checksums(of: "vt_commerce")
            try await shard.withRestored { restored in
                let found = try await restored.checksums(of: "vt_commerce")
                #expect(found == expected)
            }
            // Without an older one it ends, and says what is wrong.
            for backup in try shard.backups() where backup != bad { try FileTree.remove(backup) }
            let alone = try await shard.vtbackup()
            #expect(alone.exitCode == 1)
            #expect(alone.standardError.contains("object 3 of backup \(name(bad))"))
        }
    }

    @Test("a MANIFEST that cannot be read makes neither a first backup nor a removal")
    func unreadable() async throws {
        try await TestShard.with { shard in
            try await fill(shard)
            _ = try await pass(shard, "--allow-first-backup")
            let manifest = try shard.backups()[0].appending("MANIFEST")
            try FileTree.rename(manifest, to: shard.folder.appending("kept"))
            // Reading a folder fails, as a disk would.
            try FileTree.createDirectory(manifest, parents: false)
            let alone = try await shard.vtbackup("--allow-first-backup")
            #expect(alone.exitCode == 1)
            #expect(try shard.backups().count == 1)
            try FileTree.remove(manifest)
            try FileTree.rename(shard.folder.appending("kept"), to: manifest)
            _ = try await pass(shard)
            let newest = try #require(try shard.backups().last).appending("MANIFEST")
            try FileTree.rename(newest, to: shard.folder.appending("kept"))
            try FileTree.createDirectory(newest, parents: false)
            let run = try await pass(shard, "--min-retention-time=1ms")
            #expect(run.standardError.contains("cannot be read"))
            #expect(try shard.backups().map(name).contains(name(newest.removingLastComponent())))
        }
    }

    // MARK: Tablespaces

    @Test("a tablespace outside of what is copied ends the pass with its name; inside it is in the backup")
    func tablespaces() async throws {
        try await TestShard.with { shard in
            try await shard.primary.sql(
                "CREATE TABLESPACE shared_space ADD DATAFILE 'shared_space.ibd'",
                "CREATE TABLE vt_commerce.inside (id INT PRIMARY KEY) TABLESPACE shared_space",
                "INSERT INTO vt_commerce.inside VALUES (1), (2)"
            )
            _ = try await pass(shard, "--allow-first-backup")
            let expected = try await shard.primary.checksums(of: "vt_commerce")
            try await shard.withRestored { restored in
                let found = try await restored.checksums(of: "vt_commerce")
                #expect(found == expected)
            }

            let outside = shard.folder.appending("outside")
            try FileTree.createDirectory(outside, parents: true, owner: TestServers.user.fileOwner)
            let extra = shard.folder.appending("extra.cnf")
            try FileTree.write(Array("innodb_directories = \(outside)\n".utf8), to: extra)
            chmod(extra.string, 0o644)
            let queries = [
                "--init-backup-sql-queries=CREATE TABLESPACE elsewhere ADD DATAFILE '\(outside)/elsewhere.ibd'",
                "--init-backup-tablet-types=backup", "--init-backup-sql-timeout=20s", "--init-backup-sql-fail-on-error",
            ]
            let environment = ["EXTRA_MY_CNF": extra.string]
            let refused = try await shard.vtbackup(queries, environment: environment)
            #expect(refused.exitCode == 1)
            #expect(
                refused.standardError.contains("elsewhere (\(outside)/elsewhere.ibd)"),
                "\(refused.standardError.suffix(2000))"
            )
            #expect(try shard.backups().count == 1)
            try FileTree.remove(outside.appending("elsewhere.ibd"))
            let allowed = try await shard.vtbackup(
                queries + ["--allow-incomplete-tablespaces"],
                environment: environment
            )
            #expect(allowed.succeeded, "\(allowed.standardError.suffix(2000))")
            #expect(allowed.standardError.contains("going on because of --allow-incomplete-tablespaces"))
        }
    }

    // MARK: Leases and leftovers

    private func lease(_ shard: TestShard) -> FilePath {
        shard.storageRoot.appending("commerce").appending("0").appending(".vtbackup-lease")
    }

    /// The lease of a process on another machine.
    private func foreignLease(renewed: Date, since: Date, lifetime: Int = 120) -> [UInt8] {
        let (renewed, since) = (renewed.formatted(.iso8601), since.formatted(.iso8601))
        return Array(
            """
            {"Format": 1, "Lease": {"Holder": "vtbackup-4711", "Host": "elsewhere", "Process": 1, "Boot": "b", \
            "ProcessNamespace": "pid:[1]", "ProcessStart": "1"}, "Since": "\(since)", "Renewed": "\(renewed)", \
            "LifetimeSeconds": \(lifetime)}
            """.utf8
        )
    }

    @Test("a second pass is refused with the holder's name; a dead holder's lease ends; a lost one stops the commit")
    func leases() async throws {
        try await TestShard.with { shard in
            try await fill(shard)
            try FileTree.createDirectory(lease(shard).removingLastComponent(), parents: true)
            try FileTree.write(foreignLease(renewed: Date(), since: Date() - 3600), to: lease(shard))
            let second = try await shard.vtbackup("--allow-first-backup")
            #expect(second.exitCode == 1)
            #expect(second.standardError.contains("shard commerce/0 is being worked on by vtbackup-4711 on elsewhere"))
            #expect(try shard.backups().isEmpty)
            #expect(try FileTree.list(shard.dataRoot) == [])

            try FileTree.write(foreignLease(renewed: Date() - 121, since: Date() - 3600, lifetime: 5), to: lease(shard))
            let third = try await pass(shard, "--allow-first-backup")
            #expect(third.standardError.contains("taking over the lease"))
            #expect(try FileTree.status(lease(shard)) == nil)

            // Another pass takes it over in mid-pass, as it may when we could not renew it.
            try shard.setPrimary(port: freePort())
            let lost = try await shard.vtbackup { pid in
                while try FileTree.list(shard.dataRoot)?.isEmpty != false { await pauseBetweenLooks() }
                try FileTree.write(foreignLease(renewed: Date(), since: Date()), to: lease(shard))
                try shard.setPrimary(port: shard.primary.mysqld.configuration.port)
            }
            #expect(lost.exitCode == 1)
            #expect(lost.standardError.contains("the lease of shard commerce/0 is lost"))
            #expect(try shard.backups().count == 1)
            #expect(try FileTree.status(lease(shard)) != nil, "it is another one's now")
            let careless = try await pass(shard, "--pass-lock=off")
            #expect(!careless.standardError.contains("lease"))
        }
    }

    @Test("of two passes at once one is refused, and what a killed one leaves is cleaned up by the next")
    func twoAtOnce() async throws {
        try await TestShard.with { shard in
            try await fill(shard)
            try shard.setPrimary(port: freePort())
            let refused = LockedBox<ProgramRun?>(nil)
            let killed = try await shard.vtbackup("--allow-first-backup") { pid in
                while try FileTree.list(shard.dataRoot)?.isEmpty != false { await pauseBetweenLooks() }
                refused.set(try await shard.vtbackup("--allow-first-backup"))
                kill(pid, SIGKILL)
            }
            #expect(killed.exitCode == nil)
            #expect(refused.get()?.exitCode == 1)
            #expect(refused.get()?.standardError.contains("is being worked on by vtbackup-") == true)
            #expect(try FileTree.list(shard.dataRoot)?.count == 1)

            // Another tablet's folder, and one that is no folder of ours.
            for other in ["vt_0000000102", "vt_x"] {
                try FileTree.createDirectory(shard.dataRoot.appending(other), parents: true)
            }
            // A link to a folder that looks like one of ours, and is not.
            let elsewhere = shard.folder.appending("elsewhere")
            try FileTree.createDirectory(elsewhere, parents: true)
            for name in ["vtbackup.lock", "precious"] { try FileTree.write([1], to: elsewhere.appending(name)) }
            try FileTree.link(shard.dataRoot.appending("vt_0000000103"), to: elsewhere)
            try shard.setPrimary(port: shard.primary.mysqld.configuration.port)
            let next = try await pass(shard, "--allow-first-backup")
            #expect(try FileTree.list(elsewhere) == ["precious", "vtbackup.lock"])
            #expect(next.standardError.contains("left by a pass that is gone"))
            #expect(try FileTree.list(shard.dataRoot) == ["vt_0000000102", "vt_0000000103", "vt_x"])
            #expect(try FileTree.status(lease(shard)) == nil)
        }
    }

    @Test(
        "an unfinished backup goes when its maker has been dead for ten minutes, and not before, and not without our mark"
    )
    func unfinished() async throws {
        try await TestShard.with { shard in
            try await fill(shard)
            _ = try await pass(shard, "--allow-first-backup")
            let folder = lease(shard).removingLastComponent()
            let marks: [(String, Double?, keeps: Bool)] = [
                ("2026-01-01.000000.vtbackup-0000000001", 120 + 601, false),
                ("2026-01-01.000000.vtbackup-0000000002", 120 + 590, true),
                ("2026-01-01.000000.zone1-0000000101", nil, true),  // Whose name is no backup's is nothing of ours.
                ("no-backup-name", 100_000, true),
            ]
            for (name, age, _) in marks {
                try FileTree.createDirectory(folder.appending(name), parents: true)
                try FileTree.write([1], to: folder.appending(name).appending("0"))
                guard let age else { continue }
                let mark = foreignLease(renewed: Date() - age, since: Date() - 100_000)
                try FileTree.write(mark, to: folder.appending(name).appending(".vtbackup-lease"))
            }
            let run = try await pass(shard)
            #expect(
                run.standardError.contains(
                    "Removing unfinished backup commerce/0/2026-01-01.000000.vtbackup-0000000001"
                )
            )
            for (name, _, keeps) in marks {
                #expect(try (FileTree.status(folder.appending(name)) != nil) == keeps, "\(name)")
            }
            for backup in try shard.backups() where try FileTree.status(backup.appending("MANIFEST")) != nil {
                #expect(try FileTree.status(backup.appending(".vtbackup-lease")) == nil)
            }
        }
    }

    // MARK: Verification

    @Test("--verify-after restores what was stored and lets mysqld check it; a bad backup is marked and never a base")
    func verification() async throws {
        try await TestShard.with { shard in
            try await fill(shard)
            let run = try await pass(shard, "--allow-first-backup", "--verify-after")
            let line = try #require(run.standardError.firstMatch(of: /Verified backup .* (\d+) tables checked/))
            #expect((Int(line.1) ?? 0) > 20)
            #expect(try FileTree.list(shard.dataRoot) == [])
            let listing = try await pass(shard, "--list-backups", "--json")
            #expect(listing.standardOutput.contains(#""verification" : "good""#))

            // What is stored is not what was handed over, and the hash is of the latter: only reading it back shows that.
            let bad = try await shard.vtbackup("--verify-after") { _ in
                while try shard.backups().count < 2 { await pauseBetweenLooks() }
                let newest = try #require(try shard.backups().last)
                // Long after this object was confirmed, and before anybody reads it again.
                while try FileTree.status(newest.appending("60")) == nil { await pauseBetweenLooks() }
                let file = try FileDescriptor.open(newest.appending("5"), .readWrite)
                _ = try file.closeAfter { try file.writeAll(toAbsoluteOffset: 30, [0xff, 0xff, 0xff]) }
            }
            #expect(bad.exitCode == 1)
            #expect(bad.standardError.contains("was taken and is NO GOOD"), "\(bad.standardError.suffix(2000))")
            let after = try await pass(shard, "--list-backups")
            #expect(after.standardOutput.contains("bad"))
            let folder = shard.folder.appending("restored")
            let restored = try await pass(shard, "--restore-to=\(folder)")
            #expect(restored.standardError.contains("CANNOT BE USED, falling back to an older one: it did not verify"))
            let good = try #require(try shard.backups().first)
            #expect(restored.standardOutput.contains(name(good)))
            let next = try await pass(shard)
            #expect(next.standardError.contains("CANNOT BE USED: it did not verify"))
            // Two are kept: the good ones, not the newest two.
            let names = try shard.backups().map(name)
            let pruned = try await pass(shard, "--prune-dry-run", "--min-retention-time=1ms", "--min-retention-count=2")
            let removed = pruned.standardOutput.split(separator: "\n").filter { $0.hasPrefix("remove") }
            #expect(removed.count == 1 && removed[0].contains(names[1]), "\(pruned.standardOutput)")
        }
    }

    // MARK: Space

    @Test(
        "a file system that is too small is named before anything is written",
        .enabled(if: geteuid() == 0, "mounting needs root")
    )
    func space() async throws {
        try await TestShard.with { shard in
            try await fill(shard)
            _ = try await pass(shard, "--allow-first-backup")
            try await withSmallDisk(at: shard.folder.appending("small"), bytes: 16 << 20) { disk in
                let run = try await shard.vtbackup([], environment: ["VTDATAROOT": disk.string])
                #expect(run.exitCode == 1)
                #expect(run.standardError.contains("no room for backup \(name(try shard.backups()[0])): it needs"))
                #expect(run.standardError.contains("on file system \(disk)"))
                #expect(try FileTree.list(disk) == [])
                #expect(!run.standardError.contains("CANNOT BE USED"))

                // As Vitess writes it: without sizes.
                _ = try await pass(shard, "--backup-storage-compress=false")
                let path = try shard.backups()[1].appending("MANIFEST")
                let text = String(decoding: try #require(try FileTree.read(path, limit: 1 << 20)), as: UTF8.self)
                let start = try #require(text.ranges(of: ",\n  \"Extensions\"").first)
                try FileTree.write(Array((text[..<start.lowerBound] + "\n}\n").utf8), to: path)
                let estimated = try await shard.vtbackup([], environment: ["VTDATAROOT": disk.string])
                #expect(estimated.exitCode == 1)
                #expect(estimated.standardError.contains("its manifest tells no sizes"))
                #expect(estimated.standardError.contains("file system \(disk)"))
                #expect(try FileTree.list(disk) == [])
            }
        }
    }
}
