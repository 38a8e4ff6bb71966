import ArgumentParser
package import CommandLineKit
import FoundationEssentials
import GRPCDialing
import SystemPackage
import TabletRPC

/// How the primary's tablet manager is dialled (command-line specification 3.12 and 3.13).
package struct TabletRPCOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Authorities that tablets' certificates are checked with; switches TLS on.",
            valueName: "string"
        )
    )
    package var tabletManagerGrpcCa = ""

    @Option(help: ArgumentHelp("Client certificate for tablets; with the key it switches TLS on.", valueName: "string"))
    package var tabletManagerGrpcCert = ""

    @Option(help: ArgumentHelp("Key of the client certificate for tablets.", valueName: "string"))
    package var tabletManagerGrpcKey = ""

    @Option(help: ArgumentHelp("Name to find in tablets' certificates instead of the host's.", valueName: "string"))
    package var tabletManagerGrpcServerName = ""

    @Option(
        help: ArgumentHelp(
            "File with lists of revoked certificates (X509 CRL); switches TLS on.",
            valueName: "string"
        )
    )
    package var tabletManagerGrpcCrl = ""

    @Option(
        help: ArgumentHelp(
            "JSON file with the Username and Password that are sent with every call; may be replaced at any time.",
            valueName: "string"
        )
    )
    package var grpcAuthStaticClientCreds = ""

    @Option(help: ArgumentHelp("snappy is accepted, and nothing is compressed.", valueName: "string"))
    package var grpcCompression = ""

    @Option(help: ArgumentHelp("Bytes that may be on their way to us on one stream; 0: the default.", valueName: "int"))
    package var grpcInitialWindowSize = 0

    @Option(
        help: ArgumentHelp("Without activity for so long a running call's connection is probed.", valueName: "duration")
    )
    package var grpcKeepaliveTime = GoDurationValue.seconds(10)

    @Option(help: ArgumentHelp("How long a probe may take.", valueName: "duration"))
    package var grpcKeepaliveTimeout = GoDurationValue.seconds(10)

    @Option(help: ArgumentHelp("Bytes of one message at most.", valueName: "int"))
    package var grpcMaxMessageSize = 16 << 20

    // Declared for the sake of those who give them: each is warned of, once.

    @Option(help: ArgumentHelp("No effect: each call has a connection of its own.", valueName: "int"))
    package var tabletManagerGrpcConcurrency = 8

    @Option(help: ArgumentHelp("No effect: each call has a connection of its own.", valueName: "int"))
    package var tabletManagerGrpcConnpoolSize = 100

    @Option(help: ArgumentHelp("No effect: one tablet is dialled at a time.", valueName: "int"))
    package var grpcDialConcurrencyLimit = 1024

    @Option(help: ArgumentHelp("No effect: the window of the stream counts.", valueName: "int"))
    package var grpcInitialConnWindowSize = 0

    @Option(help: ArgumentHelp("No effect: traces are not kept.", valueName: "bool"))
    package var grpcEnableTracing = false

    @Option(help: ArgumentHelp("No effect: calls are not counted.", valueName: "bool"))
    package var grpcPrometheus = false

    /// Why a flag that was given changes nothing.
    static let withoutEffect = [
        "tablet-manager-grpc-concurrency": "each call has a connection of its own",
        "tablet-manager-grpc-connpool-size": "each call has a connection of its own",
        "grpc-dial-concurrency-limit": "one tablet is dialled at a time",
        "grpc-initial-conn-window-size": "a call has a connection of its own, whose window is that of its stream",
        "grpc-enable-tracing": "traces are not kept",
        "grpc-prometheus": "calls are not counted",
        "grpc-compression": "calls are so small that they are not compressed",
    ]

    /// Creates the group.
    package init() {}

    /// Checks what can be told before anything is opened.
    /// - Throws: ``UsageError``.
    func check() throws(UsageError) {
        guard grpcMaxMessageSize > 0, grpcInitialWindowSize >= 0 else {
            throw UsageError("--grpc-max-message-size must be above 0 and --grpc-initial-window-size not below it")
        }
    }

    /// What Vitess starts with, too: half of a certificate is none.
    var harmless: [String] {
        guard tabletManagerGrpcCert.isEmpty != tabletManagerGrpcKey.isEmpty else { return [] }
        let name = tabletManagerGrpcCert.isEmpty ? "--tablet-manager-grpc-key" : "--tablet-manager-grpc-cert"
        return [
            "\(name) has no effect: a client's certificate needs --tablet-manager-grpc-cert and --tablet-manager-grpc-key"
        ]
    }

    /// What the flags mean.
    /// - Returns: how to dial, and what an operator should look after.
    /// - Throws: an error that names a file which cannot be used.
    func dialing() throws -> (dialing: TabletDialing, warnings: [String]) {
        var dialing = TabletDialing()
        dialing.tls.authorities = tabletManagerGrpcCa
        dialing.tls.certificate = tabletManagerGrpcCert
        dialing.tls.key = tabletManagerGrpcKey
        dialing.tls.serverName = tabletManagerGrpcServerName
        dialing.revocationLists = tabletManagerGrpcCrl
        dialing.maximumMessageSize = grpcMaxMessageSize
        dialing.windowSize = grpcInitialWindowSize
        dialing.keepaliveTime = grpcKeepaliveTime.duration
        dialing.keepaliveTimeout = grpcKeepaliveTimeout.duration
        if !grpcAuthStaticClientCreds.isEmpty {
            dialing.credentials = try StaticCredentials(path: FilePath(grpcAuthStaticClientCreds))
        }
        let warnings = try dialing.prepare(now: Date())
        return (dialing, warnings)
    }
}
