package import Catalog
import Concurrency
import Glibc
import Host
package import MySQLControl
import MySQLWire
import NIOCore
package import NIOPosix
package import SystemPackage

/// A shard with a real primary, a `file` topology, `file` storage and a data root of its own: what `vtbackup` needs.
package struct TestShard: Sendable {
    package let primary: RunningMysqld
    /// Everything of this shard lies in here.
    package let folder: FilePath
    package let eventLoops: MultiThreadedEventLoopGroup
    private let product: TestServers.Product

    package var storageRoot: FilePath { folder.appending("s") }
    package var dataRoot: FilePath { folder.appending("v") }
    private var topologyRoot: FilePath { folder.appending("topo").appending("global") }

    /// Runs `body` with a fresh shard whose primary is empty, with database `vt_commerce`.
    package static func with<Result: Sendable>(
        _ product: TestServers.Product = .mysql,
        _ body: @escaping @Sendable (TestShard) async throws -> Result
    ) async throws -> Result {
        try await serverSlots.acquire()
        defer { serverSlots.release() }
        return try await withTemporaryFolder { folder in
            let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            return try await withCleanup {
                let mysqld = try await TestServers.shared(product).server(
                    in: folder.appending("p"),
                    eventLoops: eventLoops
                )
                return try await mysqld.withServer { primary in
                    let shard = TestShard(primary: primary, folder: folder, eventLoops: eventLoops, product: product)
                    try shard.prepare()
                    try await primary.sql("CREATE DATABASE vt_commerce")
                    return try await body(shard)
                }
            } cleanup: {
                try await eventLoops.shutdownGracefully()
            }
        }
    }

    private func prepare() throws {
        try FileTree.createDirectory(storageRoot, parents: true)
        try FileTree.createDirectory(dataRoot, parents: true, owner: TestServers.user.fileOwner)
        try write(
            "global/keyspaces/commerce/shards/0/Shard",
            #"{"primary_alias": {"cell": "zone1", "uid": 101}, "is_primary_serving": true}"#
        )
        try setPrimary(port: primary.mysqld.configuration.port)
    }

    /// Writes the primary's tablet record.
    /// - Parameters:
    ///   - port: where its mysqld listens.
    ///   - tabletPort: where its tablet manager listens, if it has one.
    /// - Throws: ``FileError``.
    package func setPrimary(port: Int, tabletPort: Int? = nil) throws {
        let tablet = tabletPort.map { #", "hostname": "127.0.0.1", "port_map": {"grpc": \#($0)}"# } ?? ""
        try write(
            "zone1/tablets/zone1-0000000101/Tablet",
            #"{"alias": {"cell": "zone1", "uid": 101}, "keyspace": "commerce", "shard": "0", "type": "PRIMARY", "mysql_hostname": "127.0.0.1", "mysql_port": \#(port)\#(tablet)}"#
        )
    }

    private func write(_ path: String, _ text: String) throws {
        let file = folder.appending("topo").pushing(FilePath(path))
        try FileTree.createDirectory(file.removingLastComponent(), parents: true)
        try FileTree.write(Array(text.utf8), to: file)
    }

    // MARK: vtbackup

    /// Flags of every run.
    package var flags: [String] {
        [
            "--init-keyspace=commerce", "--init-shard=0", "--backup-storage-implementation=file",
            "--file-backup-storage-root=\(storageRoot)", "--topo-implementation=file",
            "--topo-global-root=\(topologyRoot)",
            "--tablet-manager-protocol=mysql", "--mysql-port=\(freePort())", "--logtostderr",
        ]
    }

    /// Runs `vtbackup` to its end.
    package func vtbackup(
        _ arguments: String...,
        environment: [String: String] = [:],
        started: @Sendable (Int32) async throws -> Void = { _ in }
    ) async throws -> ProgramRun {
        try await vtbackup(arguments, environment: environment, started: started)
    }

    /// Runs `vtbackup` to its end.
    package func vtbackup(
        _ arguments: [String],
        environment: [String: String] = [:],
        started: @Sendable (Int32) async throws -> Void = { _ in }
    ) async throws -> ProgramRun {
        var environment = environment
        environment["VTDATAROOT"] = environment["VTDATAROOT"] ?? dataRoot.string
        if let root = product.root { environment["VT_MYSQL_ROOT"] = root.string }
        // Of a flag that is given twice the last one counts.
        return try await Programs.run(
            Programs.path("vtbackup"),
            flags + arguments,
            environment: environment,
            started: started
        )
    }

    /// Waits until the server of the pass that runs has executed this, and so replicates from the primary that it found.
    package func waitForPass(toExecute position: String) async throws {
        let query = "SELECT GTID_SUBSET('\(position)', @@global.gtid_executed)"
        while let folders = try FileTree.list(dataRoot) {
            for tablet in folders {
                let administrator = MySQLConnection.Configuration(
                    address: .unixSocket(dataRoot.appending(tablet).appending("mysql.sock")),
                    credentials: .init(user: "vt_dba")
                )
                // Nobody listens before its server is there.
                let answer = try? await MySQLConnection.with(administrator, on: eventLoops) { connection in
                    try await connection.query(query).scalar
                }
                if answer == "1" { return }
            }
            try Task.checkCancellation()
            await pauseBetweenLooks()
        }
    }

    /// Folders of the shard's backups, oldest first.
    package func backups() throws -> [FilePath] {
        let folder = storageRoot.appending("commerce").appending("0")
        // Beside them stands the lease of a pass that runs.
        return (try FileTree.list(folder) ?? []).filter { !$0.hasPrefix(".") }.map { folder.appending($0) }
    }

    /// The newest backup's manifest.
    package func newestManifest() throws -> Manifest {
        guard let newest = try backups().last,
            let bytes = try FileTree.read(newest.appending("MANIFEST"), limit: 64 << 20)
        else {
            throw MysqldError(.configuration, "there is no complete backup in \(storageRoot)")
        }
        return try Manifest(decoding: bytes)
    }

    /// Checks every backup with nothing of ours: Python's json, zlib and gzip.
    /// - Returns: the check's output; it begins each line with `ok` or `DAMAGED`.
    package func verifyIndependently() async throws -> ProgramRun {
        try await Programs.run(
            Programs.root.appending("Scripts").appending("verify-backup"),
            try backups().map(\.string)
        )
    }

    /// Restores a backup, the newest by default, into a folder of its own, starts a mysqld on it and runs `body` with it.
    package func withRestored<Result: Sendable>(
        _ name: String? = nil,
        _ body: @escaping @Sendable (RunningMysqld) async throws -> Result
    ) async throws -> Result {
        try await withTemporaryFolder { folder in
            let target = folder.appending("r")
            let run = try await vtbackup(["--restore-to=\(target)"] + (name.map { ["--backup-name=\($0)"] } ?? []))
            guard run.succeeded else { throw MysqldError(.start, "restore failed: \(run.standardError.suffix(2000))") }
            let mysqld = try await TestServers.shared(product).restoredServer(in: target, eventLoops: eventLoops)
            return try await mysqld.withServer { try await body($0) }
        }
    }
}
