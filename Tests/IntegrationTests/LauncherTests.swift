import Glibc
import Host
import MySQLControl
import SystemPackage
import TestKit
import Testing

/// The program in the place of setpriv, which the image of a bare mysqld lacks.
@Suite("launching mysqld without setpriv", .timeLimit(.minutes(60)))
struct LauncherTests {
    private var launcher: String { "exec -a \(Launcher.name) \(Programs.path("vtbackup"))" }

    @Test("what it starts is killed with who started it")
    func death() async throws {
        try await withTemporaryFolder { folder in
            let pidFile = folder.appending("pid")
            let script = "(\(launcher) --pdeathsig KILL -- /bin/sleep 3600) & echo $! > \(pidFile); wait"
            let sleeper = LockedBox<pid_t>(0)
            _ = try await Programs.run("/bin/bash", ["-c", script]) { bash in
                while !isSleep(sleeper.get()) {
                    let text = String(decoding: try FileTree.read(pidFile, limit: 64) ?? [], as: UTF8.self)
                    sleeper.set(pid_t(text.filter(\.isNumber)) ?? 0)
                    await pauseBetweenLooks()
                }
                kill(bash, SIGKILL)
            }
            while Programs.isAlive(sleeper.get()) { await pauseBetweenLooks() }
        }
    }

    private func isSleep(_ process: pid_t) -> Bool {
        let name = (try? FileTree.read(FilePath("/proc/\(process)/comm"), limit: 64)) ?? nil
        return name.map { String(decoding: $0, as: UTF8.self) } == "sleep\n"
    }

    @Test("a program that is not there is named, with the status of a shell")
    func missing() async throws {
        let run = try await Programs.run("/bin/bash", ["-c", "\(launcher) --pdeathsig KILL -- /no/such/program"])
        #expect(run.exitCode == 127)
        #expect(run.standardError.contains("execv /no/such/program: No such file or directory"))
    }

    @Test("another user's groups go before he does", .enabled(if: geteuid() == 0, "needs root"))
    func userAsRoot() async throws {
        let words = "--pdeathsig KILL --reuid 64321 --regid 64322 --clear-groups -- /bin/cat /proc/self/status"
        let run = try await Programs.run("/bin/bash", ["-c", "\(launcher) \(words)"])
        let lines = run.standardOutput.split(separator: "\n").map { $0.split { $0.isWhitespace } }
        #expect(lines.contains(["Uid:", "64321", "64321", "64321", "64321"]))
        #expect(lines.contains(["Gid:", "64322", "64322", "64322", "64322"]))
        #expect(lines.contains(["Groups:"]))
        #expect(lines.contains(["CapEff:", "0000000000000000"]))
    }

    @Test(
        "passes run where there is no setpriv, no name, no home and no place for temporary files",
        .enabled(if: geteuid() == 0 && RealComponents.runsMySQL, "making such a place needs root, and VT_MYSQL_ROOT")
    )
    func bareImageAsRoot() async throws {
        try await TestShard.with { shard in
            let script = """
                cp /usr/bin/setpriv \(shard.folder)/drop
                chmod -R a+rX \(shard.folder)/topo
                chown 64321:64321 \(shard.storageRoot) \(shard.dataRoot)
                mount --bind /dev/null /usr/bin/setpriv
                mount -t tmpfs -o ro,mode=755 tmpfs /tmp
                umask 027
                export HOME=/nonexistent VTDATAROOT=\(shard.dataRoot) VT_MYSQL_ROOT=$VT_MYSQL_ROOT
                exec \(shard.folder)/drop --reuid=64321 --regid=64321 --clear-groups --bounding-set=-all \
                    --inh-caps=-all --no-new-privs "$@"
                """
            for flags in [["--allow-first-backup"], []] {
                let words = [Programs.path("vtbackup").string] + shard.flags + ["--logtostderr=false"] + flags
                let run = try await Programs.run(
                    "/usr/bin/unshare",
                    ["--mount", "/bin/bash", "-euc", script, "-"] + words
                )
                #expect(run.succeeded, "\(run.standardError.suffix(3000))")
                #expect(run.standardError.contains("cannot create log files in /tmp; everything goes to stderr"))
            }
            #expect(try shard.backups().count == 2)
            #expect(try FileTree.list(shard.dataRoot) == [])
        }
    }
}
