import Catalog
import Glibc
import Host
import MySQLControl
import SystemPackage
import TestKit
import Testing

/// Signals, kills and a mysqld that dies: what is left behind, and how soon.
@Suite(
    "interrupted passes on MySQL",
    .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set"),
    .timeLimit(.minutes(60))
)
struct InterruptionTests {
    private func fill(_ shard: TestShard) async throws {
        try await shard.primary.sql(
            "CREATE TABLE vt_commerce.customer (id BIGINT PRIMARY KEY AUTO_INCREMENT, note LONGTEXT)",
            "INSERT INTO vt_commerce.customer (note) VALUES (repeat('x', 1000))"
        )
    }

    /// Waits until a mysqld runs on a folder below the shard's data root, and returns its process number.
    private func mysqldPID(_ shard: TestShard, of vtbackup: pid_t) async throws -> pid_t {
        while true {
            try #require(Programs.isAlive(vtbackup), "vtbackup ended before its mysqld was up")
            for name in try FileTree.list(shard.dataRoot) ?? [] {
                if let bytes = try FileTree.read(shard.dataRoot.appending(name).appending("mysql.pid"), limit: 64),
                    let pid = pid_t(String(decoding: bytes, as: UTF8.self).filter(\.isNumber))
                {
                    return pid
                }
            }
            await pauseBetweenLooks()
        }
    }

    @Test("SIGTERM and SIGINT end a pass, stop mysqld and remove everything", arguments: [SIGTERM, SIGINT])
    func signals(_ signal: Int32) async throws {
        try await TestShard.with { shard in
            try await fill(shard)
            let mysqld = LockedBox<pid_t>(0)
            // A primary that cannot be reached keeps the pass in catch-up.
            try shard.setPrimary(port: freePort())
            let run = try await shard.vtbackup("--allow-first-backup") { pid in
                mysqld.set(try await mysqldPID(shard, of: pid))
                kill(pid, signal)
            }
            #expect(run.exitCode == 1, "\(run.status)")
            #expect(run.standardError.contains("context canceled"))
            #expect(!Programs.isAlive(mysqld.get()))
            #expect(try FileTree.list(shard.dataRoot) == [])
            #expect(try shard.backups().isEmpty)
        }
    }

    @Test("after kill -9 of vtbackup its mysqld is gone as well")
    func killed() async throws {
        try await TestShard.with { shard in
            try await fill(shard)
            try shard.setPrimary(port: freePort())
            let mysqld = LockedBox<pid_t>(0)
            let run = try await shard.vtbackup("--allow-first-backup") { pid in
                mysqld.set(try await mysqldPID(shard, of: pid))
                kill(pid, SIGKILL)
            }
            let clock = ContinuousClock()
            let died = clock.now
            #expect(run.exitCode == nil)
            while Programs.isAlive(mysqld.get()) {
                try #require(clock.now - died < .onlyAHang, "mysqld outlived vtbackup")
                await pauseBetweenLooks()
            }
            // The next pass needs no hand work.
            try shard.setPrimary(port: shard.primary.mysqld.configuration.port)
            #expect(try await shard.vtbackup("--allow-first-backup").succeeded)
            #expect(try await shard.verifyIndependently().succeeded)
        }
    }

    @Test("a mysqld that dies ends the pass at once, with the tail of its error log")
    func mysqldDies() async throws {
        try await TestShard.with { shard in
            try await fill(shard)
            try shard.setPrimary(port: freePort())
            let run = try await shard.vtbackup("--allow-first-backup") { pid in
                kill(try await mysqldPID(shard, of: pid), SIGKILL)
            }
            #expect(run.exitCode == 1)
            #expect(run.standardError.contains("tail of mysql error log"))
            #expect(try FileTree.list(shard.dataRoot) == [])
            #expect(try shard.backups().isEmpty)
        }
    }

    @Test("a mysqld that cannot start ends the pass with the reason")
    func cannotStart() async throws {
        try await TestShard.with { shard in
            let extra = shard.folder.appending("extra.cnf")
            try FileTree.write(Array("default_authentication_plugin = mysql_native_password\n".utf8), to: extra)
            chmod(extra.string, 0o644)
            let run = try await shard.vtbackup("--allow-first-backup", environment: ["EXTRA_MY_CNF": extra.string])
            #expect(run.exitCode == 1)
            #expect(
                run.standardError.contains("unknown variable 'default_authentication_plugin=mysql_native_password'")
            )
            #expect(try FileTree.list(shard.dataRoot) == [])
        }
    }
}
