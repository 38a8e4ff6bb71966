import Concurrency
import FoundationEssentials
import Glibc
import Host
import MySQLControl
package import MySQLWire
import NIOCore
package import NIOPosix
package import SystemPackage

/// A cluster of the real Vitess's programs: keyspace `commerce`, shard `0`, cell `zone1`.
///
/// etcd, vtctld, a primary tablet with its vttablet, a replica that tests start as they need it, and whatever they add.
/// Everything is run as an ordinary user, because Vitess refuses root. Nothing outlives ``with(_:)``.
package struct RealCluster: Sendable {
    /// A tablet's folder and ports, which stay when its vttablet is started again.
    package struct Tablet: Sendable, Hashable {
        package let uid: Int
        package let mysqlPort = freePort()
        package let folder: FilePath
        fileprivate let webPort = freePort()
        fileprivate let grpcPort = freePort()

        package var alias: String { "zone1-" + Self.digits(uid) }
        package var socket: FilePath { folder.appending("mysql.sock") }

        fileprivate init(uid: Int, dataRoot: FilePath) {
            (self.uid, folder) = (uid, dataRoot.appending("vt_" + Self.digits(uid)))
        }

        private static func digits(_ uid: Int) -> String {
            String(repeating: "0", count: 10 - String(uid).count) + String(uid)
        }
    }

    /// Where the global records lie.
    package static let topologyRoot = "/vitess/global"

    package let etcd: EtcdServer
    /// Everything of this cluster lies in here; every user can enter it, and we can write into it.
    package let folder: FilePath
    package let primary: Tablet
    package let replica: Tablet
    package let eventLoops: MultiThreadedEventLoopGroup
    private let vtctldPort: Int
    private let programs: FilePath
    private let mysqlRoot: FilePath
    private let nextUID = LockedBox(200)

    /// Where the storage of vtctld and of the tablets lies, if a test says nothing else.
    package var storageRoot: FilePath { folder.appending("backups") }
    private var dataRoot: FilePath { folder.appending("v") }

    /// The cluster of the suite that the test belongs to; see ``RealClusterTrait``.
    @TaskLocal private static var ofSuite: RealCluster?

    /// The cluster of the suite.
    /// - Throws: when the suite has no trait `.realCluster`.
    package static var current: RealCluster {
        get throws {
            guard let ofSuite else { throw RealClusterFailure(description: "the suite has no trait .realCluster") }
            return ofSuite
        }
    }

    // MARK: Life

    /// Runs `body` with a cluster whose primary takes writes.
    package static func with(_ body: @escaping @Sendable (RealCluster) async throws -> Void) async throws {
        guard let programs = RealComponents.vitessRoot, let mysqlRoot = RealComponents.mysqlRoot else {
            throw RealClusterFailure(description: "VTB_VITESS_ROOT or VT_MYSQL_ROOT is not set")
        }
        // It brings a mysqld of its own, and a second one most of the time.
        try await serverSlots.acquire(2)
        defer { serverSlots.release(2) }
        try await withTemporaryFolder { folder in
            let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            try await withCleanup {
                try await EtcdServer.with(in: folder.appending("etcd")) { etcd in
                    let cluster = RealCluster(
                        etcd: etcd,
                        folder: folder,
                        eventLoops: eventLoops,
                        programs: programs,
                        mysqlRoot: mysqlRoot
                    )
                    try await cluster.run { try await $ofSuite.withValue(cluster) { try await body(cluster) } }
                }
            } cleanup: {
                try await eventLoops.shutdownGracefully()
            }
        }
    }

    private init(
        etcd: EtcdServer,
        folder: FilePath,
        eventLoops: MultiThreadedEventLoopGroup,
        programs: FilePath,
        mysqlRoot: FilePath
    ) {
        (self.etcd, self.folder, self.eventLoops) = (etcd, folder, eventLoops)
        (self.programs, self.mysqlRoot, vtctldPort) = (programs, mysqlRoot, freePort())
        primary = Tablet(uid: 100, dataRoot: folder.appending("v"))
        replica = Tablet(uid: 101, dataRoot: folder.appending("v"))
    }

    private func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
        _ = try ownFolder("v")
        _ = try ownFolder("backups")
        let vtctld =
            topologyFlags + storageFlags(storageRoot) + [
                "--cell=zone1", "--service-map=grpc-vtctl,grpc-vtctld", "--port=\(freePort())",
                "--grpc-port=\(vtctldPort)", "--logtostderr",
            ]
        try await withCleanup {
            try await withProgram("vtctld", vtctld, port: vtctldPort) {
                try await client("AddCellInfo", "zone1", "--root=/vitess/zone1", "--server-address=\(etcd.address)")
                try await client("CreateKeyspace", "commerce", "--durability-policy=none")
                async let other: Void = initialise(replica)
                try await initialise(primary)
                try await other
                try await withTablet(primary) {
                    try await client("PlannedReparentShard", "commerce/0", "--new-primary=\(primary.alias)")
                    try await wait {
                        try await sql(primary, "CREATE DATABASE IF NOT EXISTS vt_commerce")
                        return true
                    }
                    try await body()
                }
            }
        } cleanup: {
            for name in try FileTree.list(dataRoot) ?? [] { killServer(in: dataRoot.appending(name)) }
        }
    }

    /// Ends mysqld and, before it, the `mysqld_safe` that would start it again.
    private func killServer(in folder: FilePath) {
        func text(_ path: FilePath) -> String {
            String(decoding: ((try? FileTree.read(path, limit: 1 << 16)) ?? nil) ?? [], as: UTF8.self)
        }
        guard let server = Int32(text(folder.appending("mysql.pid")).filter(\.isNumber)), server > 1,
            let status = text(FilePath("/proc/\(server)/stat")).split(separator: ")").last,
            let parent = status.split(separator: " ").dropFirst().first.flatMap({ Int32($0) })
        else { return }
        if text(FilePath("/proc/\(parent)/cmdline")).contains(folder.string) { kill(parent, SIGKILL) }
        if text(FilePath("/proc/\(server)/cmdline")).contains(folder.string) { kill(server, SIGKILL) }
    }

    // MARK: Tablets

    /// A tablet that nobody knows yet, with an empty mysqld.
    package func newTablet(mysqlctl flags: [String] = []) async throws -> Tablet {
        let uid = nextUID.update { uid in
            defer { uid += 1 }
            return uid
        }
        let tablet = Tablet(uid: uid, dataRoot: dataRoot)
        try await initialise(tablet, flags)
        return tablet
    }

    private func initialise(_ tablet: Tablet, _ flags: [String] = []) async throws {
        let arguments = ["--tablet-uid=\(tablet.uid)", "--mysql-port=\(tablet.mysqlPort)", "--logtostderr"] + flags
        let run = try await run(programs.appending("mysqlctl"), arguments + ["init", "--wait-time=15m"])
        guard run.succeeded else { throw RealClusterFailure(description: "mysqlctl init: \(run.standardError)") }
    }

    /// Runs `body` while the tablet's vttablet runs; its mysqld goes on afterwards.
    package func withTablet(
        _ tablet: Tablet,
        keyspace: String = "commerce",
        _ flags: [String] = [],
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        let arguments =
            topologyFlags + storageFlags(storageRoot) + [
                "--tablet-path=\(tablet.alias)", "--tablet-hostname=127.0.0.1", "--init-keyspace=\(keyspace)",
                "--init-shard=0", "--init-tablet-type=replica", "--port=\(tablet.webPort)",
                "--grpc-port=\(tablet.grpcPort)",
                "--service-map=grpc-queryservice,grpc-tabletmanager,grpc-updatestream", "--logtostderr",
            ]
        try await withProgram("vttablet", arguments + flags, port: tablet.grpcPort, log: log(of: tablet), body)
    }

    private func log(of tablet: Tablet) -> FilePath { folder.appending("vttablet-\(tablet.uid).log") }

    /// What the tablet's vttabletes have logged.
    package func log(_ tablet: Tablet) throws -> String {
        String(decoding: try FileTree.read(log(of: tablet), limit: 64 << 20) ?? [], as: UTF8.self)
    }

    /// Runs a statement on a tablet's mysqld as its administrator.
    @discardableResult
    package func sql(_ tablet: Tablet, password: String = "", _ statement: String) async throws -> ResultSet {
        let configuration = MySQLConnection.Configuration(
            address: .unixSocket(tablet.socket),
            credentials: .init(user: "vt_dba", password: password)
        )
        return try await MySQLConnection.with(configuration, on: eventLoops) { try await $0.query(statement) }
    }

    // MARK: Programs

    package var topologyFlags: [String] {
        [
            "--topo-implementation=etcd2", "--topo-global-server-address=\(etcd.address)",
            "--topo-global-root=\(Self.topologyRoot)",
        ]
    }

    /// Flags of a storage for every program.
    package func storageFlags(_ root: FilePath) -> [String] {
        ["--backup-storage-implementation=file", "--file-backup-storage-root=\(root)"]
    }

    /// A folder of the cluster that its programs can write into.
    package func ownFolder(_ name: String) throws -> FilePath {
        let path = folder.appending(name)
        try FileTree.createDirectory(path, parents: true, owner: TestServers.user.fileOwner)
        return path
    }

    /// Runs a command of vtctldclient to its end.
    @discardableResult
    package func client(_ words: String...) async throws -> String {
        let run = try await run(programs.appending("vtctldclient"), ["--server=127.0.0.1:\(vtctldPort)"] + words)
        guard run.succeeded else {
            throw RealClusterFailure(description: "vtctldclient \(words): \(run.standardOutput)\(run.standardError)")
        }
        return run.standardOutput
    }

    /// Runs the real vtbackup, or ours with the same flags, on a storage.
    package func vtbackup(
        real: Bool,
        storage: FilePath,
        _ flags: [String] = [],
        started: @Sendable (Int32) async throws -> Void = { _ in }
    ) async throws -> ProgramRun {
        let arguments =
            topologyFlags + storageFlags(storage) + [
                "--init-keyspace=commerce", "--init-shard=0", "--mysql-port=\(freePort())", "--logtostderr",
                // A busy machine is no failure.
                "--mysql-timeout=15m", "--mysql-shutdown-timeout=15m",
            ]
        let program = real ? programs.appending("vtbackup") : Programs.path("vtbackup")
        // Of a flag that is given twice the last one counts.
        return try await run(program, arguments + flags, started: started)
    }

    private func run(
        _ program: FilePath,
        _ arguments: [String],
        started: @Sendable (Int32) async throws -> Void = { _ in }
    ) async throws -> ProgramRun {
        let (program, arguments) = Programs.asOrdinaryUser(program, arguments)
        return try await Programs.run(program, arguments, environment: environment, started: started)
    }

    private var environment: [String: String] {
        [
            "VTDATAROOT": dataRoot.string, "VT_MYSQL_ROOT": mysqlRoot.string, "VTROOT": folder.string,
            "HOME": folder.string, "AWS_CA_BUNDLE": "",
        ]
    }

    /// Runs `body` while a program runs that listens on a port; kills it afterwards.
    private func withProgram(
        _ name: String,
        _ arguments: [String],
        port: Int,
        log: FilePath? = nil,
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        let log = log ?? folder.appending("\(name).log")
        let (program, arguments) = Programs.asOrdinaryUser(programs.appending(name), arguments)
        let done = LockedBox(false)
        @Sendable func ended() -> RealClusterFailure {
            let text = String(decoding: (try? FileTree.read(log, limit: 64 << 20)) ?? [], as: UTF8.self)
            return RealClusterFailure(description: "\(name) ended: \(text.suffix(3000))")
        }
        // Into a file: a server that it starts may keep its output open.
        _ = try await Programs.run(
            "/bin/sh",
            ["-c", #"exec "$@" >>"$0" 2>&1"#, log.string, program.string] + arguments,
            environment: environment
        ) { process in
            defer { kill(process, SIGKILL) }
            while !isListening(port), Programs.isAlive(process) { try await Task.sleep(for: .milliseconds(50)) }
            guard Programs.isAlive(process) else { return }
            // A body must not wait for what a dead program would do.
            let watch: @Sendable () async throws -> Void = {
                // There are many of these, for as long as the cluster lives, and a death is rare.
                while Programs.isAlive(process) { try await Task.sleep(for: .milliseconds(250)) }
                throw ended()
            }
            try await withHelpers([watch]) { try await body() }
            done.set(true)
        }
        guard done.get() else { throw ended() }
    }
}
