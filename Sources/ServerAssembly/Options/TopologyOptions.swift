import ArgumentParser
package import CommandLineKit
import GRPCDialing
import SystemPackage
import Topology
import TopologyBackends

/// How the shard's primary is found and asked (command-line specification 3.11 and 3.12).
package struct TopologyOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Kind of topology: etcd2, file.", valueName: "string"))
    package var topoImplementation = ""

    @Option(
        help: ArgumentHelp(
            "Address of the global topology server; may be empty with --topo-implementation=file.",
            valueName: "string"
        )
    )
    package var topoGlobalServerAddress = ""

    @Option(
        help: ArgumentHelp("Path of the global records; with --topo-implementation=file a folder.", valueName: "string")
    )
    package var topoGlobalRoot = ""

    @Option(
        help: ArgumentHelp(
            "How the primary is asked for its position: grpc (its tablet manager; grpc-oneshot and grpc-cached are the same), mysql (its mysqld, as the replication user).",
            valueName: "string"
        )
    )
    package var tabletManagerProtocol = "grpc"

    @Option(help: ArgumentHelp("Reads of the topology at once, in each cell.", valueName: "int"))
    package var topoReadConcurrency = 32

    @Option(help: ArgumentHelp("Client certificate for etcd; with the key it switches TLS on.", valueName: "string"))
    package var topoEtcdTlsCert = ""

    @Option(help: ArgumentHelp("Key of the client certificate for etcd.", valueName: "string"))
    package var topoEtcdTlsKey = ""

    @Option(help: ArgumentHelp("Authorities that etcd's certificate is checked with.", valueName: "string"))
    package var topoEtcdTlsCa = ""

    @Option(
        help: ArgumentHelp(
            "With --pass-lock=topo: seconds that the lock in etcd outlives a pass that died.",
            valueName: "int"
        )
    )
    package var topoEtcdLeaseTtl = 30

    @Option(help: ArgumentHelp("With --pass-lock=topo: how long to wait for the lock.", valueName: "duration"))
    package var lockTimeout = GoDurationValue.seconds(45)

    @Option(
        help: ArgumentHelp("With --pass-lock=topo: how long giving the lock back may take.", valueName: "duration")
    )
    package var remoteOperationTimeout = GoDurationValue.seconds(15)

    private static let leaseLifetimes = 5...3600

    /// Why a flag that was given changes nothing in a pass without a lock in the topology.
    static let withoutEffectWithoutLock = [
        "topo-etcd-lease-ttl": "no lock is taken in the topology without --pass-lock=topo",
        "lock-timeout": "no lock is taken in the topology without --pass-lock=topo",
        "remote-operation-timeout": "it limits giving back a lock, and none is taken without --pass-lock=topo",
    ]

    /// Creates the group.
    package init() {}

    /// Checks what can be told before anything is opened.
    /// - Throws: ``UsageError``.
    func check(takesLock: Bool) throws(UsageError) {
        guard topoReadConcurrency >= 1 else {
            throw UsageError("--topo-read-concurrency must be at least 1, it is \(topoReadConcurrency)")
        }
        // Without a lock they change nothing.
        guard takesLock else { return }
        guard Self.leaseLifetimes.contains(topoEtcdLeaseTtl) else {
            throw UsageError("--topo-etcd-lease-ttl must be between 5 and 3600 seconds, it is \(topoEtcdLeaseTtl)")
        }
        guard lockTimeout.nanoseconds > 0, remoteOperationTimeout.nanoseconds > 0 else {
            throw UsageError("--lock-timeout and --remote-operation-timeout must be greater than zero")
        }
    }

    private var usesTLS: Bool { !topoEtcdTlsCert.isEmpty && !topoEtcdTlsKey.isEmpty }

    /// What Vitess starts with, too: it speaks TLS with etcd only when certificate and key are given.
    var harmless: [String] {
        let given = [
            ("--topo-etcd-tls-cert", topoEtcdTlsCert), ("--topo-etcd-tls-key", topoEtcdTlsKey),
            ("--topo-etcd-tls-ca", topoEtcdTlsCa),
        ].filter { !$0.1.isEmpty }.map(\.0)
        guard !usesTLS, !given.isEmpty else { return [] }
        return [
            "\(given.joined(separator: " and ")) has no effect, etcd is spoken to in clear: TLS needs --topo-etcd-tls-cert and --topo-etcd-tls-key"
        ]
    }

    /// Opens the topology for as long as `body` runs: the one place that lists what is compiled in.
    /// - Parameters:
    ///   - meter: counts what it costs.
    ///   - body: runs with it.
    /// - Returns: what `body` returns.
    /// - Throws: ``UsageError``, ``TopologyError``, or what `body` throws.
    func withStore<Result: Sendable>(
        meter: TopologyMeter,
        _ body: @escaping @Sendable (any TopologyStore) async throws -> Result
    ) async throws -> Result {
        if topoGlobalServerAddress.isEmpty, topoImplementation != "file" {
            throw UsageError("topo-global-server-address must be configured")
        }
        if topoGlobalRoot.isEmpty { throw UsageError("topo-global-root must be non-empty") }
        switch topoImplementation {
        case "file": return try await body(try LocalFileTopology(root: FilePath(topoGlobalRoot)))
        case "etcd2":
            var configuration = EtcdTopology.Configuration(address: topoGlobalServerAddress, root: topoGlobalRoot)
            configuration.readConcurrency = topoReadConcurrency
            if usesTLS {
                var tls = ClientTLS()
                (tls.certificate, tls.key, tls.authorities) = (topoEtcdTlsCert, topoEtcdTlsKey, topoEtcdTlsCa)
                configuration.tls = tls
            }
            configuration.meter = meter
            return try await EtcdTopology.with(configuration) { try await body($0) }
        default:
            let known = ["consul", "zk2"].contains(topoImplementation)
            throw UsageError(
                "Failed to open topo server (\(topoImplementation),\(topoGlobalServerAddress),\(topoGlobalRoot)): no such topology implementation \(topoImplementation)\(known ? " in this version yet; use etcd2 or file" : "")"
            )
        }
    }

    /// How long a lock in the topology is waited for and lives on.
    var lockLimits: LockLimits {
        var limits = LockLimits()
        limits.acquisition = lockTimeout.duration
        limits.release = remoteOperationTimeout.duration
        limits.lifetime = .seconds(topoEtcdLeaseTtl)
        return limits
    }

    /// `--tablet-manager-protocol=mysql`.
    var asksMysqld: Bool { tabletManagerProtocol == "mysql" }

    /// Checks the protocol, which Vitess only notices after hours.
    /// - Throws: ``UsageError``.
    func validateProtocol() throws(UsageError) {
        switch tabletManagerProtocol {
        case "mysql", "grpc", "grpc-oneshot", "grpc-cached": return
        default: throw UsageError("No TabletManagerProtocol registered with name \(tabletManagerProtocol)")
        }
    }
}
