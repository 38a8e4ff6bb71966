import ArgumentParser
import Catalog
import CommandLineKit
import Compression
import Processes
import Testing
import Vocabulary
import Workflows

@testable import ServerAssembly

/// What is told at the start instead of after hours.
@Suite("validation of flags")
struct OptionsTests {
    struct Case: CustomTestStringConvertible {
        var arguments: [String]
        var message: String
        var testDescription: String { arguments.joined(separator: " ") }
    }

    private func normalized(_ arguments: [String]) throws -> (VtbackupOptions, Set<String>) {
        let result = try ArgumentNormalizer(table: FlagTable(VtbackupOptions.self), program: "vtbackup").normalize(
            arguments
        )
        return (try VtbackupOptions.parse(result.tokens), result.given)
    }

    @Test(
        "refuses what cannot work, naming the flag",
        arguments: [
            Case(arguments: ["--concurrency=0"], message: "--concurrency must be at least 1, it is 0"),
            Case(
                arguments: ["--incremental-from-pos=auto"],
                message: "--incremental-from-pos is not available in this version yet"
            ),
            Case(
                arguments: ["--list-backups", "--prune-dry-run"],
                message: "--list-backups and --prune-dry-run exclude"
            ),
            Case(arguments: ["--list-backups", "--restore-to=/r"], message: "--list-backups and --restore-to exclude"),
            Case(arguments: ["--min-retention-time=-1h"], message: "--min-retention-time must not be negative"),
            Case(arguments: ["--mysql-timeout=0"], message: "--mysql-timeout must be greater than zero"),
            Case(
                arguments: ["--topo-etcd-lease-ttl=4", "--pass-lock=topo"],
                message: "--topo-etcd-lease-ttl must be between 5 and 3600 seconds, it is 4"
            ),
            Case(
                arguments: ["--lock-timeout=0s", "--pass-lock=topo"],
                message: "--lock-timeout and --remote-operation-timeout must be"
            ),
            Case(arguments: ["--topo-read-concurrency=0"], message: "--topo-read-concurrency must be at least 1"),
            Case(arguments: ["--mysql-port=70000"], message: "--mysql-port=70000 is no TCP port"),
            Case(arguments: ["--backup-name=x"], message: "--backup-name needs --restore-to"),
            Case(
                arguments: ["--backup-engine-implementation=xtrabackup"],
                message: "not available in this version yet; use builtin"
            ),
            Case(
                arguments: ["--backup-engine-implementation=nope"],
                message: "unknown BackupEngine implementation \"nope\""
            ),
            Case(
                arguments: ["--compression-engine-name=zstd", "--compression-level=5"],
                message: "--compression-level=5 is not a level of --compression-engine-name=zstd; use 1 to 4"
            ),
            Case(
                arguments: ["--compression-engine-name=external"],
                message: "supported values are 'external', 'pgzip', 'pargzip', 'zstd', 'lz4' value: \"external\""
            ),
            Case(
                arguments: ["--compression-engine-name=nope", "--external-compressor=xz"],
                message: "supported values are 'external', 'pgzip', 'pargzip', 'zstd', 'lz4' value: \"nope\""
            ),
            Case(
                arguments: ["--compression-engine-name=nope"],
                message: "supported values are 'external', 'pgzip', 'pargzip', 'zstd', 'lz4' value: \"nope\""
            ),
            Case(arguments: ["--compression-level=10"], message: "--compression-level=10 is not a level of"),
            Case(arguments: ["--external-compressor='pigz"], message: "\"'pigz\" is not closed"),
            Case(arguments: ["--external-decompressor=# no"], message: "--external-decompressor: the external command"),
            Case(arguments: ["--memory-budget=64MiB"], message: "--memory-budget must be at least 96MiB, it is 64MiB"),
            Case(arguments: ["--backup-storage-block-size=0"], message: "--backup-storage-block-size must be between"),
        ]
    )
    func refused(_ test: Case) throws {
        let (options, given) = try normalized(test.arguments)
        let error = #expect(throws: UsageError.self) { try options.validate(given: given) }
        #expect(error?.message.contains(test.message) == true, "\(error?.message ?? "")")
    }

    @Test("a command wins over the engine's name, and nothing is compressed when compression is off")
    func codecs() throws {
        let command = try ExternalCommand("pigz -1")
        #expect(try normalized(["--external-compressor=pigz -1"]).0.engine.codec().codec == .external(command))
        #expect(
            try normalized(["--compression-engine-name=external", "--external-compressor=pigz -1"]).0.engine.codec()
                .codec
                == .external(command)
        )
        #expect(
            try normalized(["--backup-storage-compress=false", "--external-compressor=x"]).0.engine.codec().codec
                == .identity
        )
        #expect(try normalized(["--compression-engine-name=zstd"]).0.engine.codec().codec == .zstd(level: 1))
    }

    @Test("warns once for each given flag that changes nothing, and for passwords in the open")
    func warnings() throws {
        let (options, given) = try normalized([
            "--mysql_server_version=8.0", "--db-repl-password=secret", "--concurrency", "2",
        ])
        try options.validate(given: given)
        let warnings = options.warnings(given: given)
        #expect(warnings.count == 2)
        #expect(warnings.contains { $0.hasPrefix("--mysql-server-version has no effect") })
        #expect(warnings.allSatisfy { !$0.contains("secret") })
        // What only counts for a lock is warned of when none is taken.
        let locking = ["--lock-timeout=1s", "--topo-etcd-lease-ttl=9", "--remote-operation-timeout=1s"]
        for (lock, count) in [("lease", 3), ("off", 3), ("topo", 0)] {
            let (options, given) = try normalized(locking + ["--pass-lock=\(lock)"])
            try options.validate(given: given)
            #expect(options.warnings(given: given).count == count, "\(lock)")
        }
    }

    @Test(
        "starts where Vitess starts, with a warning, when nothing is lost",
        arguments: [
            Case(
                arguments: ["--initial-backup", "--allow-first-backup"],
                message: "--initial-backup seeds an empty shard"
            ),
            Case(arguments: ["--topo-etcd-tls-ca=ca.pem"], message: "etcd is spoken to in clear"),
            Case(arguments: ["--topo-etcd-tls-cert=c.pem"], message: "etcd is spoken to in clear"),
            Case(arguments: ["--tablet-manager-grpc-key=k.pem"], message: "--tablet-manager-grpc-key has no effect"),
            Case(arguments: ["--lock-timeout=0s"], message: "--lock-timeout has no effect"),
            Case(arguments: ["--remote-operation-timeout=0s"], message: "--remote-operation-timeout has no effect"),
            Case(arguments: ["--topo-etcd-lease-ttl=0"], message: "--topo-etcd-lease-ttl has no effect"),
            Case(arguments: ["--backup-storage-number-blocks=0"], message: "below 1 memory decides"),
            Case(arguments: ["--min-backup-interval=-1h"], message: "the same as 0"),
            Case(arguments: ["--keep-alive-timeout=-1s"], message: "the same as 0"),
        ]
    )
    func harmless(_ test: Case) throws {
        let (options, given) = try normalized(test.arguments)
        try options.validate(given: given)
        let warnings = options.warnings(given: given)
        #expect(warnings.count == 1 && warnings[0].contains(test.message), "\(warnings)")
        #expect(options.engine.blocksInFlight(given: given) == nil)
    }

    @Test("an empty value is an empty string or an empty list, and an error for everything else")
    func emptyValues() throws {
        let (options, given) = try normalized([
            "--db-repl-user=", "--external-compressor", "", "--init-backup-sql-queries=",
            "--init-backup-sql-queries=a,,b",
        ])
        #expect(options.mysqld.dbReplUser.isEmpty && options.engine.externalCompressor.isEmpty)
        #expect(options.policy.initBackupSqlQueries == ["a", "", "b"])
        #expect(given.contains("db-repl-user"))
        for name in ["concurrency", "mysql-timeout", "allow-first-backup"] {
            #expect(throws: UsageError.self) { try normalized(["--\(name)="]) }
        }
    }

    @Test("a detached copy gets every token, also one that looks like the flag and is a value")
    func detached() throws {
        let copy = Detachment.copyArguments(["--detach", "--init-keyspace", "--detach", "--init-shard=0"])
        #expect(copy == ["--detach", "--init-keyspace", "--detach", "--init-shard=0", "--detach=false"])
        let (options, _) = try normalized(copy)
        #expect(!options.policy.detach && options.policy.initKeyspace == "--detach")
    }

    @Test("init SQL queries need types and a timeout, and run only for type backup")
    func initQueries() throws {
        let query = "--init-backup-sql-queries=SELECT 1"
        #expect(throws: UsageError.self) { try normalized([query]).0.initQueries() }
        #expect(throws: UsageError.self) {
            try normalized([query, "--init-backup-tablet-types=backup"]).0.initQueries()
        }
        #expect(throws: UsageError.self) {
            try normalized([query, "--init-backup-tablet-types=foo", "--init-backup-sql-timeout=1s"]).0.initQueries()
        }
        let skipped = try normalized([query, "--init-backup-tablet-types=replica", "--init-backup-sql-timeout=1s"]).0
            .initQueries()
        #expect(skipped.queries == nil)
        #expect(skipped.skipped?.contains("vtbackup is of type BACKUP") == true)
        let run = try normalized([
            query, "--init-backup-tablet-types=replica,BACKUP", "--init-backup-sql-timeout=1500ms",
        ]).0.initQueries()
        #expect(run.queries?.statements == ["SELECT 1"])
        #expect(run.queries?.timeout == .milliseconds(1500))
    }

    @Test("keyspace and shard are required and checked")
    func shard() throws {
        #expect(throws: UsageError.self) { try normalized(["--init-shard=0"]).0.shardPath() }
        #expect(throws: UsageError.self) { try normalized(["--init-keyspace=a/b", "--init-shard=0"]).0.shardPath() }
        #expect(
            try normalized(["--init_keyspace=commerce", "--init-shard=-80"]).0.shardPath().description == "commerce/-80"
        )
    }
}
