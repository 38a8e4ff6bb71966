import Catalog
import Glibc
import Host
import MySQLControl
import SystemPackage
import TestKit
import Testing

/// The program around a pass: signals at other moments, the background, hooks, folders of an operator.
@Suite(
    "life cycle on MySQL",
    .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set"),
    .timeLimit(.minutes(60))
)
struct LifecycleTests {
    /// Enough to copy that a signal arrives in the middle of it.
    private func fill(_ shard: TestShard) async throws {
        try await shard.primary.sql(
            "CREATE TABLE vt_commerce.big (id BIGINT PRIMARY KEY AUTO_INCREMENT, note LONGTEXT)",
            """
            INSERT INTO vt_commerce.big (note) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900)
            SELECT repeat(sha2(i, 512), 500) FROM n
            """
        )
    }

    private func isAlive(_ pid: pid_t) throws -> Bool {
        guard let bytes = try FileTree.read(FilePath("/proc/\(pid)/stat"), limit: 4096) else { return false }
        return !String(decoding: bytes, as: UTF8.self).contains(") Z ")
    }

    /// Waits while `vtbackup` lives until `condition` holds.
    private func wait(_ vtbackup: pid_t, until condition: () throws -> Bool) async throws {
        while try !condition() {
            try #require(try isAlive(vtbackup), "vtbackup ended before the moment came")
            await pauseBetweenLooks()
        }
    }

    @Test("SIGTERM while files are copied leaves no backup and no folder")
    func interruptedCopy() async throws {
        try await TestShard.with { shard in
            try await fill(shard)
            let run = try await shard.vtbackup("--allow-first-backup", "--concurrency=1") { pid in
                try await wait(pid) { try !shard.backups().isEmpty }
                kill(pid, SIGTERM)
            }
            #expect(run.exitCode == 1)
            #expect(run.standardError.contains("backup is not usable, aborting it"))
            #expect(try shard.backups().isEmpty)
            #expect(try FileTree.list(shard.dataRoot) == [])
        }
    }

    @Test("SIGTERM while the base is restored leaves the old backup and no folder")
    func interruptedRestore() async throws {
        try await TestShard.with { shard in
            try await fill(shard)
            #expect(try await shard.vtbackup("--allow-first-backup").succeeded)
            let before = try shard.backups()
            let run = try await shard.vtbackup("--concurrency=1") { pid in
                try await wait(pid) {
                    guard let name = try FileTree.list(shard.dataRoot)?.first else { return false }
                    let folder = shard.dataRoot.appending(name).appending("innodb").appending("data")
                    return try FileTree.list(folder)?.isEmpty == false
                }
                kill(pid, SIGTERM)
            }
            #expect(run.exitCode == 1)
            #expect(try shard.backups() == before)
            #expect(try FileTree.list(shard.dataRoot) == [])
            let check = try await shard.verifyIndependently()
            #expect(check.succeeded)
        }
    }

    @Test("a second signal ends at once, and mysqld with it")
    func secondSignal() async throws {
        try await TestShard.with { shard in
            try shard.setPrimary(port: freePort())
            let (log, mysqld) = (shard.folder.appending("log"), LockedBox<pid_t>(0))
            try FileTree.createDirectory(log, parents: true)
            let run = try await shard.vtbackup("--allow-first-backup", "--logtostderr=false", "--log_dir=\(log)") {
                pid in
                try await wait(pid) {
                    guard let name = try FileTree.list(shard.dataRoot)?.first,
                        let bytes = try FileTree.read(shard.dataRoot.appending(name).appending("mysql.pid"), limit: 64),
                        let found = pid_t(String(decoding: bytes, as: UTF8.self).filter(\.isNumber))
                    else { return false }
                    mysqld.set(found)
                    return true
                }
                // A server that does not answer makes the clean end last.
                kill(mysqld.get(), SIGSTOP)
                kill(pid, SIGINT)
                // Two different signals that wait are not delivered in the order in which they were sent.
                try await wait(pid) {
                    let bytes = try FileTree.read(log.appending("vtbackup.WARNING"), limit: 1 << 20) ?? []
                    return String(decoding: bytes, as: UTF8.self).contains("a second signal ends at once")
                }
                kill(pid, SIGTERM)
            }
            #expect(run.exitCode == 128 + SIGTERM)
            while try isAlive(mysqld.get()) { await pauseBetweenLooks() }
        }
    }

    @Test("--detach prints the process number and the copy does the pass")
    func detached() async throws {
        try await TestShard.with { shard in
            let run = try await shard.vtbackup("--allow-first-backup", "--detach")
            #expect(run.exitCode == 0)
            let pid = try #require(pid_t(run.standardOutput.filter(\.isNumber)))
            #expect(run.standardOutput == "[PID] \(pid)\n")
            while try isAlive(pid) { await pauseBetweenLooks() }
            #expect(try shard.newestManifest().keyspace == "commerce")
        }
    }

    @Test("hooks take part: a failing one ends the pass, make_mycnf writes the configuration")
    func hooks() async throws {
        try await TestShard.with { shard in
            let hooks = shard.folder.appending("root").appending("vthook")
            try FileTree.createDirectory(hooks, parents: true)
            func write(_ name: String, _ text: String) throws {
                let path = hooks.appending(name)
                try FileTree.write(Array("#!/bin/sh\n\(text)\n".utf8), to: path)
                chmod(path.string, 0o755)
            }
            let environment = ["VTROOT": shard.folder.appending("root").string]
            try write("preflight_mysqld_shutdown", "echo not today >&2; exit 3")
            let refused = try await shard.vtbackup("--allow-first-backup", environment: environment)
            #expect(refused.exitCode == 1)
            #expect(refused.standardError.contains("preflight_mysqld_shutdown hook failed(3): not today"))
            #expect(try FileTree.list(shard.dataRoot) == [])

            try write("preflight_mysqld_shutdown", "echo $$ > \(shard.folder)/preflight")
            try write("make_mycnf", "echo '{{.Nonsense}}'")
            let nonsense = try await shard.vtbackup("--allow-first-backup", environment: environment)
            #expect(nonsense.standardError.contains("my.cnf template: \".Nonsense\" is not supported"))

            try FileTree.remove(hooks.appending("make_mycnf"))
            let run = try await shard.vtbackup("--allow-first-backup", environment: environment)
            #expect(run.succeeded, "\(run.standardError.suffix(3000))")
            #expect(try FileTree.status(shard.folder.appending("preflight")) != nil)
        }
    }

    /// Makes hooks from their names and scripts.
    /// - Returns: the environment in which they are found.
    private func writeHooks(_ hooks: [String: String], _ shard: TestShard) throws -> [String: String] {
        let root = shard.folder.appending("root")
        let folder = root.appending("vthook")
        try FileTree.createDirectory(folder, parents: true)
        for (name, text) in hooks {
            try FileTree.write(Array("#!/bin/sh\n\(text)\n".utf8), to: folder.appending(name))
            chmod(folder.appending(name).string, 0o755)
        }
        return ["VTROOT": root.string]
    }

    /// A hook's lines that start the server of the one tablet that is there, as the user whom it has to be.
    private func startOfServer(_ root: FilePath, _ launcher: String) -> String {
        let user = TestServers.user.fileOwner.map {
            "setpriv --reuid=\($0.user) --regid=\($0.group) --clear-groups "
        }
        return """
            cnf=$(ls $VTDATAROOT/vt_*/my.cnf)
            \(launcher)\(user ?? "")\(root)/sbin/mysqld --defaults-file=$cnf "$@" </dev/null >/dev/null 2>&1
            """
    }

    @Test("a server that a hook starts and stops is no child of ours, and serves a whole pass")
    func startedByHook() async throws {
        try await TestShard.with { shard in
            try await shard.primary.sql("CREATE TABLE vt_commerce.t (id INT PRIMARY KEY)")
            let root = try #require(RealComponents.mysqlRoot)
            let environment = try writeHooks(
                [
                    "mysqld_start": """
                    \(startOfServer(root, "")) &
                    echo $! >> \(shard.folder)/started
                    """,
                    "postflight_mysqld_start": "echo yes > \(shard.folder)/postflight",
                    "mysqld_shutdown":
                        "\(root)/bin/mysqladmin --no-defaults -S $(ls $VTDATAROOT/vt_*/mysql.sock) -u vt_dba shutdown",
                ],
                shard
            )
            let first = try await shard.vtbackup("--allow-first-backup", environment: environment)
            #expect(first.succeeded, "\(first.standardError.suffix(3000))")
            let second = try await shard.vtbackup(environment: environment)
            #expect(second.succeeded, "\(second.standardError.suffix(3000))")
            #expect(try FileTree.status(shard.folder.appending("postflight")) != nil)
            #expect(try FileTree.list(shard.dataRoot) == [])
            let started = try FileTree.read(shard.folder.appending("started"), limit: 1000) ?? []
            let processes = String(decoding: started, as: UTF8.self).split(separator: "\n").compactMap { Int32($0) }
            #expect(processes.count >= 2)
            for process in processes {
                // Gone, or dead and not yet reaped by whoever adopted it.
                let state = try FileTree.read(FilePath("/proc/\(process)/stat"), limit: 4096).map {
                    String(decoding: $0, as: UTF8.self)
                }
                #expect(state?.contains(") Z ") ?? true, "mysqld \(process) is still there")
            }
            #expect(try await shard.verifyIndependently().succeeded)
        }
    }

    /// Ways to end a pass from outside.
    enum Ending: String, CaseIterable { case clean, whileStarting, secondSignal, grace }

    @Test("nothing that a hook started outlives a signal, also in the background", arguments: Ending.allCases)
    func startedByHookAndSignalled(_ ending: Ending) async throws {
        try await TestShard.with { shard in
            // A primary that cannot be reached keeps the pass in catch-up.
            try shard.setPrimary(port: freePort())
            let (started, log) = (shard.folder.appending("started"), shard.folder.appending("log"))
            try FileTree.createDirectory(log, parents: true)
            // In sessions of their own, as daemons are, with parents that are gone.
            var hooks = [
                "mysqld_start": """
                \(startOfServer(try #require(RealComponents.mysqlRoot), "setsid ")) &
                echo $! >> \(started).part
                (setsid sleep 3600 </dev/null >/dev/null 2>&1 & echo $! >> \(started).part)
                mv \(started).part \(started)
                \(ending == .whileStarting ? "exec sleep 3600" : "")
                """
            ]
            // A hook that never ends keeps the clean way from coming to an end.
            if ending == .secondSignal || ending == .grace { hooks["preflight_mysqld_shutdown"] = "exec sleep 3600" }
            let environment = try writeHooks(hooks, shard)
            let processes = LockedBox<[pid_t]>([])
            let flags = ["--allow-first-backup", "--logtostderr=false", "--log_dir=\(log)"]
            let run = try await shard.vtbackup(
                flags + (ending == .grace ? ["--shutdown-grace=1s"] : []),
                environment: environment
            ) { pid in
                func logged(_ text: String, _ severity: String) throws -> Bool {
                    let bytes = try FileTree.read(log.appending("vtbackup.\(severity)"), limit: 1 << 20) ?? []
                    return String(decoding: bytes, as: UTF8.self).contains(text)
                }
                try await wait(pid) {
                    let bytes = try FileTree.read(started, limit: 1000) ?? []
                    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
                    processes.set(lines.compactMap { pid_t($0) })
                    let isUp = try ending == .whileStarting || logged("Restore:", "INFO") || hasSocket(shard)
                    return processes.get().count == 2 && isUp
                }
                kill(pid, SIGTERM)
                if ending == .secondSignal {
                    try await wait(pid) { try logged("a second signal ends at once", "WARNING") }
                    kill(pid, SIGINT)
                }
            }
            #expect(!run.succeeded)
            #expect(processes.get().count == 2)
            for process in processes.get() {
                while try isAlive(process) { await pauseBetweenLooks() }
            }
        }
    }

    private func hasSocket(_ shard: TestShard) throws -> Bool {
        guard let name = try FileTree.list(shard.dataRoot)?.first else { return false }
        return try FileTree.status(shard.dataRoot.appending(name).appending("mysql.sock")) != nil
    }

    @Test("folders that an operator keeps on disks of their own are used and left clean")
    func sharedFolders() async throws {
        try await TestShard.with { shard in
            for name in ["data", "bin-logs"] {
                try FileTree.createDirectory(
                    shard.dataRoot.appending(name),
                    parents: true,
                    owner: TestServers.user.fileOwner
                )
            }
            let socket = shard.folder.appending("v").appending("own.sock")
            let run = try await shard.vtbackup("--allow-first-backup", "--mysql-socket=\(socket)")
            #expect(run.succeeded, "\(run.standardError.suffix(3000))")
            #expect(run.standardError.contains("mysqld is ready on \(socket)"))
            #expect(try FileTree.list(shard.dataRoot) == ["bin-logs", "data"])
            #expect(try FileTree.list(shard.dataRoot.appending("data")) == [])
            let check = try await shard.verifyIndependently()
            #expect(check.succeeded)
        }
    }

    @Test("a signal during --keep-alive-timeout ends the wait, not the success")
    func keepAlive() async throws {
        try await TestShard.with { shard in
            #expect(try await shard.vtbackup("--allow-first-backup").succeeded)
            let log = shard.folder.appending("log")
            try FileTree.createDirectory(log, parents: true)
            let run = try await Programs.run(
                Programs.path("vtbackup"),
                shard.flags.filter { $0 != "--logtostderr" }
                    + ["--log_dir=\(log)", "--min-backup-interval=1h", "--keep-alive-timeout=1h"],
                environment: ["VTDATAROOT": shard.dataRoot.string]
            ) { pid in
                try await wait(pid) {
                    guard let bytes = try FileTree.read(log.appending("vtbackup.INFO"), limit: 1 << 20) else {
                        return false
                    }
                    return String(decoding: bytes, as: UTF8.self).contains("waiting 1h0m0s before exiting")
                }
                kill(pid, SIGTERM)
            }
            #expect(run.exitCode == 0)
        }
    }
}
