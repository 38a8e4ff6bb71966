import Concurrency
import FoundationEssentials
import Host
import MySQLControl
import MySQLWire
import NIOCore
import NIOPosix
import Positions
import Subprocess
import SystemPackage
import TestKit
import Testing

/// Whole backups that the real Vitess 24.0.4 wrote, restored by ours.
@Suite("backups of the real Vitess", .needs(.golden), .timeLimit(.minutes(60)))
struct GoldenBackupTests {
    struct Backup: Sendable, CustomTestStringConvertible {
        var name: String
        /// `count(*)` and the sum of the rows' checksums, of customers and of orders; `nil`: there are no tables.
        var sums: [String]?
        /// The primary's transactions up to this one.
        var last: Int
        var testDescription: String { name }
    }

    private static let last = ["420", "914181842441", "210", "420710686289"]
    /// All full ones but the one that Vitess itself cannot restore.
    private static let full = [
        Backup(name: "2026-11-29.011654.vtbackup-1008281758", sums: nil, last: 0),
        Backup(
            name: "2026-11-29.011748.vtbackup-2861641666",
            sums: ["400", "863865157294", "200", "396577112165"],
            last: 426
        ),
        Backup(
            name: "2026-11-29.011813.vtbackup-4043077537",
            sums: ["406", "875334999253", "203", "403529672413"],
            last: 432
        ),
        Backup(
            name: "2026-11-29.011836.vtbackup-0265998495",
            sums: ["412", "892285048190", "206", "411223109907"],
            last: 438
        ),
        Backup(
            name: "2026-11-29.011900.vtbackup-1636399854",
            sums: ["418", "907220561475", "209", "419740268111"],
            last: 444
        ),
        Backup(name: "2026-11-29.011957.vtbackup-1013900370", sums: last, last: 446),
        Backup(name: "2026-11-29.012031.vtbackup-3703548497", sums: last, last: 446),
        Backup(name: "2026-11-29.012040.zone1-0000000101", sums: last, last: 446),
    ]

    private static let sums = [
        "SELECT count(*), sum(crc32(concat(customer_id, email, balance, ifnull(note, '')))) FROM vt_commerce.customer",
        "SELECT count(*), sum(crc32(concat(order_id, customer_id, sku, price))) FROM vt_commerce.corder",
    ]

    /// Unpacks backups into a storage of their own; runs `body` with the storage's root and our flags for it.
    private func withStorage(
        _ archives: String,
        _ names: [String]?,
        shard: String,
        _ body: (FilePath, [String]) async throws -> Void
    ) async throws {
        let golden = try #require(RealComponents.golden, "VTB_GOLDEN is not set")
        try await serverSlots.acquire()
        defer { serverSlots.release() }
        try await withTemporaryFolder { folder in
            let storage = folder.appending("s").pushing(FilePath(shard))
            try FileTree.createDirectory(storage, parents: true)
            let source = golden.appending(archives)
            let everything = try FileTree.list(source) ?? []
            for name in names?.map({ "\($0).tar" }) ?? everything {
                let unpacked = try await Subprocess.run(
                    .name("tar"),
                    arguments: [
                        "-x", "--no-same-owner", "-C", storage.string, "-f", source.appending(name).string,
                    ],
                    output: .discarded,
                    error: .string(limit: 4096)
                )
                #expect(unpacked.terminationStatus.isSuccess, "\(unpacked.standardError)")
            }
            let parts = shard.split(separator: "/")
            try await body(
                folder,
                [
                    "--init-keyspace=\(parts[0])", "--init-shard=\(parts[1])",
                    "--backup-storage-implementation=file",
                    "--file-backup-storage-root=\(folder.appending("s"))", "--topo-implementation=file",
                    "--topo-global-root=\(folder.appending("none"))", "--logtostderr",
                ]
            )
        }
    }

    /// Restores a backup into a folder of its own, starts a mysqld on it and runs `body` with it.
    private func withRestored(
        _ name: String,
        _ product: TestServers.Product,
        in folder: FilePath,
        _ flags: [String],
        _ body: @escaping @Sendable (RunningMysqld) async throws -> Void
    ) async throws {
        let target = folder.appending("r-\(name.suffix(4))")
        let run = try await Programs.run(
            Programs.path("vtbackup"),
            flags + ["--restore-to=\(target)", "--backup-name=\(name)"],
            environment: ["VT_MYSQL_ROOT": try #require(product.root).string]
        )
        #expect(run.succeeded, "\(run.standardError.suffix(3000))")
        let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        try await withCleanup {
            let mysqld = try await TestServers.shared(product).restoredServer(in: target, eventLoops: eventLoops)
            try await mysqld.withServer { try await body($0) }
        } cleanup: {
            try await eventLoops.shutdownGracefully()
        }
    }

    @Test(
        "are restored on MySQL 9.7, rows and position as they were",
        .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set"),
        arguments: full
    )
    func restore(_ backup: Backup) async throws {
        try await withStorage("backups", [backup.name], shard: "commerce/0") { folder, flags in
            try await withRestored(backup.name, .mysql, in: folder, flags) { server in
                let executed = try GTIDSet(try await server.sql("SELECT @@global.gtid_executed").scalar ?? "")
                let primary = backup.last == 0 ? "" : ",9b72c817-eb92-11f1-9819-02fc00000001:1-\(backup.last)"
                #expect(executed == (try GTIDSet("8e50f450-eb92-11f1-b201-02fc00000001:1" + primary)))
                guard let expected = backup.sums else {
                    let databases = try await server.sql("SHOW DATABASES LIKE 'vt_commerce'").rows
                    #expect(databases.isEmpty)
                    return
                }
                var found: [String?] = []
                for query in Self.sums { found += try await server.sql(query).rows[0] }
                #expect(found == expected)
            }
        }
    }

    @Test("are restored on MySQL 8.0", .needs(.mysql80))
    func restore80() async throws {
        let names = ["2026-11-29.015831.vtbackup-3611125386", "2026-11-29.015910.vtbackup-0587936623"]
        try await withStorage("backups-mysql-8.0", names, shard: "old/0") { folder, flags in
            try await withRestored(names[0], .mysql80, in: folder, flags) { server in
                let databases = try await server.sql("SHOW DATABASES LIKE 'vt_old'").rows
                #expect(databases.isEmpty)
            }
            try await withRestored(names[1], .mysql80, in: folder, flags) { server in
                let rows = try await server.sql("SELECT * FROM vt_old.customer ORDER BY 1").rows
                #expect(rows == [["1", "a@example.com"], ["2", "b@example.com"], ["3", "c@example.com"]])
            }
        }
    }

    @Test("are listed: full ones, the chain of incremental ones, all of them complete")
    func listing() async throws {
        try await withStorage("backups", nil, shard: "commerce/0") { folder, flags in
            let run = try await Programs.run(Programs.path("vtbackup"), flags + ["--list-backups", "--json"])
            #expect(run.succeeded, "\(run.standardError.suffix(3000))")
            struct Document: Decodable {
                struct Entry: Decodable {
                    var name: String
                    var complete: Bool
                    var engine: String?
                    var kind: String?
                    var files: Int?
                    var position: String?
                }
                var backups: [Entry]
            }
            let listed = try JSONDecoder().decode(Document.self, from: Data(run.standardOutput.utf8)).backups
            let incremental = ["012046", "012052", "012056"].map { "2026-11-29.\($0).zone1-0000000101" }
            let names = (Self.full.map(\.name) + ["2026-11-29.011926.vtbackup-0152259737"] + incremental).sorted()
            #expect(listed.map(\.name) == names)
            #expect(listed.allSatisfy { $0.complete && $0.engine == "builtin" })
            #expect(listed.filter { $0.kind == "incremental" }.map(\.name) == incremental)
            #expect(listed.suffix(3).map(\.files) == [1, 1, 3])
            #expect(listed.last?.position?.hasSuffix(",9b72c817-eb92-11f1-9819-02fc00000001:1-460") == true)
        }
    }
}
