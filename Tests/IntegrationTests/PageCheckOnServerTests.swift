import Compression
import Concurrency
import Engines
import Glibc
import Host
import Logging
import MySQLControl
import NIOCore
import NIOPosix
import Storage
import SystemPackage
import TestKit
import Testing
import Vocabulary

/// The page check on files that real servers wrote.
@Suite("pages of real servers", .timeLimit(.minutes(60)))
struct PageCheckOnServerTests {
    /// Rows in many kinds of tables, changed and removed, so that there are freed pages too.
    private static func tables(_ product: TestServers.Product) -> [String] {
        let fill = """
            INSERT INTO %T (note) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) \
            SELECT repeat(md5(i), 1 + i % 50) FROM n
            """
        // MySQL 9.7 has MD5 in a component only.
        let expression = product.isMySQL ? fill.replacing("md5(i)", with: "sha2(i, 224)") : fill
        let kinds = [
            "plain": "", "zip8": "ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8",
            "zip1": "ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=1",
            "pressed": product.isMySQL ? "COMPRESSION='zlib'" : "PAGE_COMPRESSED=1",
            "parts": "PARTITION BY HASH (id) PARTITIONS 3",
        ]
        var statements = ["CREATE DATABASE kinds"]
        for (name, options) in kinds.sorted(by: { $0.key < $1.key }) {
            let note = name == "zip1" ? "VARCHAR(200)" : "TEXT"
            let table = "kinds.\(name)"
            statements.append("CREATE TABLE \(table) (id INT PRIMARY KEY AUTO_INCREMENT, note \(note)) \(options)")
            statements.append(
                (name == "zip1" ? expression.replacing("1 + i % 50", with: "1") : expression).replacing(
                    "%T",
                    with: table
                )
            )
            statements.append("DELETE FROM \(table) WHERE id % 3 > 0")
        }
        statements.append(
            "CREATE TABLE kinds.words (id INT PRIMARY KEY, note TEXT, FULLTEXT (note), area POINT NOT NULL, SPATIAL INDEX (area))"
        )
        statements.append("INSERT INTO kinds.words VALUES (1, 'one two three', POINT(1, 2)), (2, 'four', POINT(3, 4))")
        statements.append("CREATE TABLE kinds.gone (id INT PRIMARY KEY, note TEXT)")
        statements.append("INSERT INTO kinds.gone SELECT id, note FROM kinds.plain")
        statements.append("TRUNCATE kinds.gone")
        if product.isMySQL {
            statements.append("CREATE TABLESPACE shared_space ADD DATAFILE 'shared_space.ibd'")
            statements.append("CREATE TABLE kinds.inside (id INT PRIMARY KEY) TABLESPACE shared_space")
            statements.append("CREATE UNDO TABLESPACE own_undo ADD DATAFILE 'own_undo.ibu'")
        }
        return statements
    }

    /// A stopped server with all of that.
    private func withTables(
        _ product: TestServers.Product,
        settings: String = "",
        extra: [String] = [],
        _ body: @escaping @Sendable (TabletDirectory, BuiltinBackup, LogLines) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            try await withCleanup {
                let mysqld = try await TestServers.shared(product).server(
                    in: folder.appending("m"),
                    eventLoops: eventLoops,
                    settings: settings
                )
                try await mysqld.withServer { (server: RunningMysqld) in
                    for statement in extra + Self.tables(product) { try await server.sql(statement) }
                    let leftOut = try BackupCompleteness.leftOut(try await server.tablespaces(), of: mysqld.directory)
                    #expect(leftOut.isEmpty)
                }
                let lines = LogLines()
                try await BlockingThreads.with(count: 2) { threads in
                    let plane = DataPlane.small(threads, codec: RecordedCodec(.identity), concurrency: 4)
                    let engine = BuiltinBackup(
                        dataPlane: plane,
                        progressInterval: .seconds(5),
                        checksPages: true,
                        logger: lines.logger
                    )
                    try await body(mysqld.directory, engine, lines)
                }
            } cleanup: {
                try await eventLoops.shutdownGracefully()
            }
        }
    }

    private func copy(
        _ directory: TabletDirectory,
        _ engine: BuiltinBackup,
        known: ServerFiles = ServerFiles()
    ) async throws {
        let writer = try await InMemoryStorage().startBackup("b", of: try ShardPath("ks/0"))
        _ = try await engine.copyFiles(of: StoppedServer(directory, files: known), to: writer, meter: TransferMeter())
    }

    /// Inverts one byte of a page.
    private func damage(_ path: FilePath, page: Int64, size: Int64 = 16_384) throws {
        let file = try FileDescriptor.open(path, .readWrite)
        try file.closeAfter {
            try withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { byte in
                _ = try file.read(fromAbsoluteOffset: page * size + 1000, into: byte)
                byte[0] = ~byte[0]
                _ = try file.writeAll(toAbsoluteOffset: page * size + 1000, byte)
            }
        }
    }

    @Test(
        "all pages of MySQL's tables are good, and a damaged one is named",
        .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set")
    )
    func mysql() async throws { try await expectGoodAndDamaged(.mysql) }

    @Test("so are those of MySQL 8.0's tables", .needs(.mysql80))
    func mysql80() async throws { try await expectGoodAndDamaged(.mysql80) }

    private func expectGoodAndDamaged(_ product: TestServers.Product) async throws {
        try await withTables(product) { directory, engine, lines in
            try await copy(directory, engine)
            let summary = try #require(lines.all.last { $0.contains("page check:") })
            let good = try #require(summary.firstMatch(of: /page check: (\d+) InnoDB pages are good/))
            #expect((Int(good.1) ?? 0) > 2_000)
            // Compressed pages and the old doublewrite area, nothing else.
            #expect(summary.contains("pages in 2 files"), "\(summary)")
            for (name, page, size) in [("plain.ibd", 4, 16_384), ("zip8.ibd", 5, 8_192), ("plain.ibd", 0, 16_384)] {
                let path = directory.data.appending("kinds").appending(name)
                try damage(path, page: Int64(page), size: Int64(size))
                let error = await #expect(throws: EngineError.self) { try await copy(directory, engine) }
                #expect(error?.code == .damagedPage)
                #expect(
                    error?.message.contains("\(path) is damaged: page \(page) of \(size) bytes") == true,
                    "\(error)"
                )
                try damage(path, page: Int64(page), size: Int64(size))
            }
            try await copy(directory, engine)
            var careless = engine
            careless.checksPages = false
            try damage(directory.data.appending("mysql.ibd"), page: 3)
            try await copy(directory, careless)
        }
    }

    @Test(
        "later files of the system tablespace are judged without their numbers; what the server does not know is copied and named",
        .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set")
    )
    func severalSystemFiles() async throws {
        let settings = "innodb_data_file_path = ibdata1:12M;second:12M;ibdata3:12M:autoextend"
        try await withTables(.mysql, settings: settings) { directory, engine, lines in
            let folder = directory.data.appending("kinds")
            let known = ServerFiles(
                tablespaces: PathSet(
                    try [directory.innodbData, directory.data, folder].flatMap { folder in
                        try (FileTree.list(folder) ?? []).map { folder.appending($0) }
                    }
                )
            )
            try await copy(directory, engine, known: known)
            // A page of a later file that is bad, behind what may be the doublewrite area.
            let second = directory.innodbData.appending("second")
            try damage(second, page: 700)
            let error = await #expect(throws: EngineError.self) { try await copy(directory, engine, known: known) }
            #expect(error?.message.contains("\(second) is damaged: page 700") == true, "\(error)")
            try damage(second, page: 700)

            let orphans = ["#sql-ib77-1.ibd", "#sql-ib78-1.ibd", "#sql-ib79-1.ibd"].map { folder.appending($0) }
            try FileTree.write([UInt8](repeating: 0, count: 1 << 20), to: orphans[0])
            try FileTree.write([UInt8](repeating: 9, count: 1 << 20), to: orphans[1])
            let plain = try #require(try FileTree.read(folder.appending("plain.ibd"), limit: 1 << 30))
            try FileTree.write(plain, to: orphans[2])
            try damage(orphans[2], page: 4)
            try await copy(directory, engine, known: known)
            for orphan in orphans {
                #expect(lines.all.contains { $0.contains("\(orphan) is copied unchecked") }, "\(orphan)")
            }
            // The server's own are held to it.
            try await copy(directory, engine, known: ServerFiles(tablespaces: PathSet([])))
            let alone = await #expect(throws: EngineError.self) { try await copy(directory, engine) }
            #expect(alone?.code == .damagedPage)
        }
    }

    @Test(
        "older checksum algorithms mix with the usual one",
        .enabled(if: RealComponents.runsMySQL, "VT_MYSQL_ROOT is not set"),
        arguments: ["innodb", "none"]
    )
    func algorithms(_ algorithm: String) async throws {
        try await withTables(.mysql, extra: ["SET GLOBAL innodb_checksum_algorithm = '\(algorithm)'"]) {
            directory,
            engine,
            lines in
            try await copy(directory, engine)
            let path = directory.data.appending("kinds").appending("plain.ibd")
            if algorithm == "innodb" {
                try damage(path, page: 4)
                let error = await #expect(throws: EngineError.self) { try await copy(directory, engine) }
                #expect(error?.code == .damagedPage)
            }
        }
    }

    @Test(
        "all pages of MariaDB's tables are good in both layouts, and a damaged one is named",
        .enabled(if: RealComponents.runsMariaDB, "VT_MARIADB_ROOT is not set"),
        arguments: ["full_crc32", "crc32"]
    )
    func mariaDB(_ algorithm: String) async throws {
        try await withTables(.mariaDB, settings: "innodb_checksum_algorithm = \(algorithm)") {
            directory,
            engine,
            lines in
            try await copy(directory, engine)
            #expect(lines.all.contains { $0.contains("page check:") })
            let path = directory.data.appending("kinds").appending("plain.ibd")
            try damage(path, page: 4)
            let error = await #expect(throws: EngineError.self) { try await copy(directory, engine) }
            #expect(error?.code == .damagedPage)
            #expect(error?.message.contains("page 4 of 16384 bytes") == true)
        }
    }
}
