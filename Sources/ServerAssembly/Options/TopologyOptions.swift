import ArgumentParser
package import CommandLineKit
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

    @Option(help: ArgumentHelp("No effect: no lock is taken.", valueName: "int"))
    package var topoEtcdLeaseTtl = 30

    @Option(help: ArgumentHelp("No effect: no lock is taken.", valueName: "duration"))
    package var lockTimeout = GoDurationValue.seconds(45)

    @Option(help: ArgumentHelp("No effect: each step has its own limit.", valueName: "duration"))
    package var remoteOperationTimeout = GoDurationValue.seconds(15)

    /// Why a flag that was given changes nothing.
    static let withoutEffect = [
        "topo-etcd-lease-ttl": "no lock is taken", "lock-timeout": "no lock is taken",
        "remote-operation-timeout": "each step has its own limit",
    ]

    /// Creates the group.
    package init() {}

    /// Checks what can be told before anything is opened.
    /// - Throws: ``UsageError``.
    func check() throws(UsageError) {
        guard topoReadConcurrency >= 1 else {
            throw UsageError("--topo-read-concurrency must be at least 1, it is \(topoReadConcurrency)")
        }
        if topoEtcdTlsCert.isEmpty != topoEtcdTlsKey.isEmpty {
            throw UsageError("--topo-etcd-tls-cert and --topo-etcd-tls-key must be given together")
        }
        if !topoEtcdTlsCa.isEmpty, topoEtcdTlsCert.isEmpty {
            throw UsageError("--topo-etcd-tls-ca does nothing without --topo-etcd-tls-cert and --topo-etcd-tls-key")
        }
    }

    /// Opens the topology for as long as `body` runs: the one place that lists what is compiled in.
    /// - Throws: ``UsageError``, ``TopologyError``, or what `body` throws.
    func withStore<Result: Sendable>(_ body: (any TopologyStore) async throws -> Result) async throws -> Result {
        if topoGlobalServerAddress.isEmpty, topoImplementation != "file" {
            throw UsageError("topo-global-server-address must be configured")
        }
        if topoGlobalRoot.isEmpty { throw UsageError("topo-global-root must be non-empty") }
        switch topoImplementation {
        case "file": return try await body(try LocalFileTopology(root: FilePath(topoGlobalRoot)))
        case "etcd2":
            var configuration = EtcdTopology.Configuration(address: topoGlobalServerAddress, root: topoGlobalRoot)
            configuration.readConcurrency = topoReadConcurrency
            if !topoEtcdTlsCert.isEmpty {
                var tls = EtcdTopology.TLS()
                (tls.certificate, tls.key, tls.authorities) = (topoEtcdTlsCert, topoEtcdTlsKey, topoEtcdTlsCa)
                configuration.tls = tls
            }
            return try await EtcdTopology.with(configuration) { try await body($0) }
        default:
            let known = ["consul", "zk2"].contains(topoImplementation)
            throw UsageError(
                "Failed to open topo server (\(topoImplementation),\(topoGlobalServerAddress),\(topoGlobalRoot)): no such topology implementation \(topoImplementation)\(known ? " in this version yet; use etcd2 or file" : "")"
            )
        }
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
