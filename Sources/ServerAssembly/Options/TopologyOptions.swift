import ArgumentParser
import CommandLineKit
import SystemPackage
import Topology

/// How the shard's primary is found and asked (command-line specification 3.11 and 3.12).
package struct TopologyOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Kind of topology: file.", valueName: "string"))
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
            "How the primary is asked for its position: mysql (its mysqld, as the replication user).",
            valueName: "string"
        )
    )
    package var tabletManagerProtocol = "grpc"

    /// Creates the group.
    package init() {}

    /// Opens the topology: the one place that lists what is compiled in.
    /// - Throws: ``UsageError``, or ``TopologyError``.
    func open() throws -> any TopologyStore {
        if topoGlobalServerAddress.isEmpty, topoImplementation != "file" {
            throw UsageError("topo-global-server-address must be configured")
        }
        if topoGlobalRoot.isEmpty { throw UsageError("topo-global-root must be non-empty") }
        switch topoImplementation {
        case "file": return try LocalFileTopology(root: FilePath(topoGlobalRoot))
        default:
            let known = ["etcd2", "consul", "zk2"].contains(topoImplementation)
            throw UsageError(
                "Failed to open topo server (\(topoImplementation),\(topoGlobalServerAddress),\(topoGlobalRoot)): no such topology implementation \(topoImplementation)\(known ? " in this version yet; use file" : "")"
            )
        }
    }

    /// Checks the protocol, which Vitess only notices after hours.
    /// - Throws: ``UsageError``.
    func validateProtocol() throws(UsageError) {
        switch tabletManagerProtocol {
        case "mysql": return
        case "grpc", "grpc-oneshot", "grpc-cached":
            throw UsageError(
                "--tablet-manager-protocol=\(tabletManagerProtocol) is not available in this version yet; use --tablet-manager-protocol=mysql"
            )
        default: throw UsageError("No TabletManagerProtocol registered with name \(tabletManagerProtocol)")
        }
    }
}
