import Catalog
import Concurrency
import FoundationEssentials
import Glibc
import Host
import MySQLControl
import MySQLWire
import Positions
import Subprocess
import SystemPackage
import TestKit
import Testing
import Topology
import TopologyBackends

/// Ours among the programs of the real Vitess 24.0.4: each reads what the other one wrote.
@Suite("vtbackup beside the real Vitess", .needs(.vitess), .realCluster, .timeLimit(.minutes(60)))
struct RealVitessTests {
    /// Two passes at once are what two cores bear; the replica backs up for one test at a time.
    private static let lanes = Slots(count: 2)
    private static let replica = Slots(count: 1)

    struct Codec: Sendable, CustomTestStringConvertible {
        var name: String
        /// Flags of a backup and of a restore.
        var backup: [String]
        var restore: [String] = []
        var testDescription: String { name }
    }

    private static let codecs =
        ["pargzip", "pgzip", "zstd", "lz4"].map { Codec(name: $0, backup: ["--compression-engine-name=\($0)"]) } + [
            Codec(
                name: "external",
                backup: [
                    "--compression-engine-name=external", "--external-compressor=zstd -c",
                    "--manifest-external-decompressor=zstd -dc",
                ],
                restore: ["--external-decompressor-use-manifest"]
            )
        ]

    private func held<Result>(_ slots: Slots, _ body: () async throws -> Result) async throws -> Result {
        try await slots.acquire()
        defer { slots.release() }
        return try await body()
    }

    /// Adds rows to a table of the primary.
    private func write(_ table: String, _ cluster: RealCluster) async throws {
        try await cluster.sql(
            cluster.primary,
            "CREATE TABLE IF NOT EXISTS vt_commerce.\(table) (id INT PRIMARY KEY AUTO_INCREMENT, note TEXT)"
        )
        try await cluster.sql(
            cluster.primary,
            "INSERT INTO vt_commerce.\(table) (note) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) SELECT repeat(sha2(i, 224), i % 20) FROM n"
        )
    }

    private func sum(_ table: String, _ tablet: RealCluster.Tablet, _ cluster: RealCluster) async throws -> String? {
        try await cluster.sql(
            tablet,
            "SELECT concat(count(*), ' ', sum(crc32(concat(id, ifnull(note, ''))))) FROM vt_commerce.\(table)"
        ).scalar
    }

    private func executed(_ tablet: RealCluster.Tablet, _ cluster: RealCluster) async throws -> GTIDSet {
        try GTIDSet(try await cluster.sql(tablet, "SELECT @@global.gtid_executed").scalar ?? "")
    }

    /// Names of the backups in a storage, oldest first.
    private func names(_ storage: FilePath) throws -> [String] {
        let folder = storage.appending("commerce").appending("0")
        return (try FileTree.list(folder) ?? []).filter { !$0.hasPrefix(".") }.sorted()
    }

    /// A pass of theirs or of ours.
    /// - Returns: the name of the new backup.
    private func pass(real: Bool, _ storage: FilePath, _ flags: [String], _ cluster: RealCluster) async throws -> String
    {
        let before = Set(try names(storage))
        let run = try await cluster.vtbackup(real: real, storage: storage, flags)
        let who = real ? "the real one" : "ours"
        // The real one ends with its whole help.
        let said = run.standardError.components(separatedBy: "Usage:")[0].suffix(3000)
        #expect(run.succeeded, "\(who) \(flags): \(said) … \(run.standardError.suffix(1000))")
        let new = try names(storage).filter { !before.contains($0) }
        #expect(new.count == 1, "\(who) \(flags) made \(new)")
        return try #require(new.last)
    }

    // MARK: Codecs

    @Test("a tablet's backup is the base of our pass, and our backups are restored by a tablet", arguments: codecs)
    func codec(_ codec: Codec) async throws {
        let cluster = try RealCluster.current
        try await held(Self.lanes) {
            let table = "t_\(codec.name)"
            let storage = try cluster.ownFolder("s-\(codec.name)")
            let restore = cluster.storageFlags(storage) + codec.restore
            try await write(table, cluster)
            try await held(Self.replica) {
                try await cluster.withTablet(cluster.replica, cluster.storageFlags(storage) + codec.backup) {
                    try await cluster.client("Backup", cluster.replica.alias)
                }
            }
            let base = try #require(try names(storage).last)

            try await write(table, cluster)
            let plain = try await cluster.vtbackup(real: false, storage: storage, codec.backup + codec.restore)
            #expect(plain.succeeded, "\(plain.standardError.suffix(4000))")
            #expect(plain.standardError.contains("RestorePath: [full:\(base)]"))
            let first = try #require(try names(storage).last)
            let firstSum = try await sum(table, cluster.primary, cluster)
            // A storage of its own, so that it is the newest one there.
            let copy = try await copied(first, of: storage, to: "r-\(codec.name)", cluster)

            try await write(table, cluster)
            let verified = try await pass(
                real: false,
                storage,
                codec.backup + codec.restore + ["--verify-after"],
                cluster
            )
            async let other: Void = expectRestored(first, table, cluster.storageFlags(copy) + codec.restore, cluster)
            try await expectRestored(verified, table, restore, cluster)
            try await other
            #expect(firstSum != nil)
        }
    }

    private func copied(
        _ backup: String,
        of storage: FilePath,
        to name: String,
        _ cluster: RealCluster
    ) async throws -> FilePath {
        let target = try cluster.ownFolder(name)
        let folder = try cluster.ownFolder("\(name)/commerce/0")
        let source = storage.appending("commerce").appending("0").appending(backup)
        let run = try await Programs.run("/bin/cp", ["-a", source.string, folder.string])
        #expect(run.succeeded, "\(run.standardError)")
        return target
    }

    /// A new tablet of the real Vitess restores a backup, gets what is newer from the primary, and goes on replicating.
    private func expectRestored(
        _ backup: String,
        _ table: String,
        _ flags: [String],
        _ cluster: RealCluster
    ) async throws {
        let tablet = try await cluster.newTablet()
        try await cluster.withTablet(tablet, flags + ["--restore-from-backup"]) {
            // It starts its server again before it says so.
            try await cluster.wait { try cluster.log(tablet).contains("Restore: complete") }
            // Rows of the primary, and then some that are written now.
            for _ in 0..<2 {
                let goal = try await executed(cluster.primary, cluster)
                try await cluster.wait { try await executed(tablet, cluster).contains(goal) }
                // Another tablet's test may write at the same time.
                try await cluster.wait {
                    let here = try await sum(table, tablet, cluster)
                    let there = try await sum(table, cluster.primary, cluster)
                    return here != nil && here == there
                }
                // Not one of its own.
                let (mine, all) = (try await executed(tablet, cluster), try await executed(cluster.primary, cluster))
                #expect(all.contains(mine))
                try await cluster.sql(cluster.primary, "INSERT INTO vt_commerce.\(table) (note) VALUES ('later')")
            }
            let log = try cluster.log(tablet)
            #expect(log.contains("RestorePath: [full:\(backup)]"), "\(log.suffix(3000))")
        }
    }

    // MARK: In turn

    @Test("ten passes of theirs and ours in turn, with pruning, each from the one before; both list the same")
    func turns() async throws {
        let cluster = try RealCluster.current
        let storage = cluster.storageRoot
        var made: [String] = []
        for turn in 0..<10 {
            try await held(Self.lanes) {
                try await write("turns", cluster)
                let codec = Self.codecs[turn / 2]
                var flags = codec.backup + ["--min-retention-time=1s", "--min-retention-count=3"]
                // Whoever comes after an external one needs its command.
                flags += ["--external-decompressor-use-manifest"]
                if turn == 0 { flags.append("--allow-first-backup") }
                if turn == 9 { flags.append("--verify-after") }
                made.append(try await pass(real: turn % 2 == 0, storage, flags, cluster))
            }
            // Not one that the pass took, and three of them; what is younger than a second stays.
            let kept = try names(storage)
            #expect(kept.last == made.last)
            #expect(kept.count <= 5 && kept.count >= min(3, made.count))
        }
        #expect(try names(storage).count == 3)
        for folder in try names(storage).map({ storage.appending("commerce").appending("0").appending($0) }) {
            let manifest = try Manifest(
                decoding: #require(try FileTree.read(folder.appending("MANIFEST"), limit: 1 << 20))
            )
            #expect(manifest.position != nil)
        }
        let theirs = try await cluster.client("GetBackups", "commerce/0").split(separator: "\n").map(String.init)
        let ours = try await cluster.vtbackup(real: false, storage: storage, ["--list-backups", "--json"])
        let listed = ours.standardOutput.matches(of: /"name" : "([^"]*)"/).map { String($0.1) }
        #expect(theirs == listed)
        #expect(theirs == Array(made.suffix(3)))
    }

    // MARK: Passwords

    private static let users = ["vt_dba", "vt_app", "vt_allprivs", "vt_repl", "vt_filtered", "vt_appdebug"]
    /// Without a quote: the real tablet puts it into CHANGE REPLICATION SOURCE as it is, and fails with error 1064.
    private static let password = "s3cret of all"

    /// What a secured cluster's script does: users as a tablet wants them, and a password for each and for root.
    private var script: String {
        let password = SQLText.literal(Self.password)
        var lines = [
            "SET @was_super_read_only = IF(@@global.super_read_only = 1, 'ON', 'OFF');",
            "SET GLOBAL super_read_only = 'OFF';", "SET sql_log_bin = 0;",
            "DROP USER IF EXISTS ''@'%', ''@'localhost', 'root'@'%';", "DROP DATABASE IF EXISTS test;",
        ]
        for user in Self.users {
            let place = user == "vt_repl" ? "'%'" : "localhost"
            lines.append("CREATE USER \(user)@\(place) IDENTIFIED BY \(password);")
            lines.append("GRANT ALL ON *.* TO \(user)@\(place) WITH GRANT OPTION;")
        }
        lines += [
            "ALTER USER root@localhost IDENTIFIED BY \(password);", "FLUSH PRIVILEGES;",
            "SET GLOBAL super_read_only = IFNULL(@was_super_read_only, 'ON');",
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    @Test("one init script with passwords makes a tablet and our first backup, which a tablet with them restores")
    func passwords() async throws {
        let cluster = try RealCluster.current
        let storage = try cluster.ownFolder("s-secured")
        let folder = try cluster.ownFolder("secured")
        let (file, credentials) = (folder.appending("init.sql"), folder.appending("credentials.json"))
        try FileTree.write(Array(script.utf8), to: file)
        let entries = Self.users.map { "\"\($0)\": [\"\(Self.password)\"]" }
        try FileTree.write(Array("{\(entries.joined(separator: ", "))}".utf8), to: credentials)
        for path in [file, credentials] { #expect(chmod(path.string, 0o644) == 0) }
        let secrets = ["--db-credentials-file=\(credentials)"]
        try await held(Self.lanes) {
            try await cluster.client("CreateKeyspace", "secured", "--durability-policy=none")
            let primary = try await cluster.newTablet(mysqlctl: ["--init-db-sql-file=\(file)"])
            try await cluster.withTablet(primary, keyspace: "secured", secrets) {
                try await cluster.client("PlannedReparentShard", "secured/0", "--new-primary=\(primary.alias)")
                @Sendable func ask(_ tablet: RealCluster.Tablet, _ statement: String) async throws -> String? {
                    try await cluster.sql(tablet, password: Self.password, statement).scalar
                }
                try await cluster.wait {
                    _ = try await ask(primary, "CREATE DATABASE IF NOT EXISTS vt_secured")
                    return true
                }
                _ = try await ask(primary, "CREATE TABLE vt_secured.t (id INT PRIMARY KEY)")
                _ = try await ask(primary, "INSERT INTO vt_secured.t VALUES (1), (2), (40)")
                for flags in [["--allow-first-backup"], ["--verify-after"]] {
                    let run = try await cluster.vtbackup(
                        real: false,
                        storage: storage,
                        flags + [
                            "--init-keyspace=secured", "--init-db-sql-file=\(file)",
                            "--db-dba-password=\(Self.password)", "--db-repl-password=\(Self.password)",
                        ]
                    )
                    #expect(run.succeeded, "\(flags): \(run.standardError.suffix(3000))")
                    #expect(!run.standardError.contains(Self.password))
                    _ = try await ask(primary, "INSERT INTO vt_secured.t SELECT max(id) + 1 FROM vt_secured.t")
                }
                let tablet = try await cluster.newTablet(mysqlctl: ["--init-db-sql-file=\(file)"])
                let restore = secrets + cluster.storageFlags(storage) + ["--restore-from-backup"]
                try await cluster.withTablet(tablet, keyspace: "secured", restore) {
                    try await cluster.wait { try cluster.log(tablet).contains("Restore: complete") }
                    try await cluster.wait { try await ask(tablet, "SELECT sum(id) FROM vt_secured.t") == "126" }
                }
            }
        }
    }

    // MARK: Topology

    /// Records that other tests of this suite, which bring tablets, leave alone as well.
    private static let records: [(TopologyCell, String)] = [
        (.global, "keyspaces/commerce/Keyspace"), (.global, "keyspaces/commerce/shards/0/Shard"),
        (.cell("zone1"), "tablets/zone1-0000000100/Tablet"), (.cell("zone1"), "keyspaces/commerce/SrvKeyspace"),
    ]

    @Test("a pass changes no record and adds no tablet; its lock is where Vitess's tools have theirs, while it runs")
    func topology() async throws {
        let cluster = try RealCluster.current
        let storage = try cluster.ownFolder("s-topology")
        try await held(Self.lanes) {
            try await EtcdTopology.with(.init(address: cluster.etcd.address, root: RealCluster.topologyRoot)) {
                topology in
                @Sendable func snapshot() async throws -> [[UInt8]] {
                    var bytes: [[UInt8]] = []
                    for (cell, path) in Self.records { bytes.append(try await topology.read(path, in: cell).bytes) }
                    return bytes
                }
                let before = try await snapshot()
                let lock = LockedBox("")
                let run = try await cluster.vtbackup(
                    real: false,
                    storage: storage,
                    ["--allow-first-backup", "--pass-lock=topo"]
                ) { process in
                    let folder = "internal/named_locks/vtbackup-commerce-0/locks"
                    while Programs.isAlive(process) {
                        #expect(try await snapshot() == before)
                        let tablets = try await topology.list("tablets", in: .cell("zone1"))
                        #expect(tablets.allSatisfy { $0.contains(/^zone1-0000000[12]..$/) }, "\(tablets)")
                        guard lock.get().isEmpty, let name = try? await topology.list(folder, in: .global).first,
                            let file = try? await topology.read("\(folder)/\(name)", in: .global)
                        else { continue }
                        lock.set(String(decoding: file.bytes, as: UTF8.self))
                    }
                }
                #expect(run.succeeded, "\(run.standardError.suffix(3000))")
                #expect(lock.get().contains("\"Action\": \"vtbackup\""))
                #expect(try await snapshot() == before)
            }
        }
    }
}
