import GRPCCore
import GRPCNIOTransportHTTP2Posix
package import Positions
import Streams
package import Topology
import WireProtos
import Workflows

/// Asks tablets by their gRPC service, with a fresh connection for each call.
package struct TabletManagerClient: PrimaryTablet {
    private static let attemptLimit = Duration.seconds(60)
    let dialing: TabletDialing

    /// Dials as `dialing` says.
    package init(dialing: TabletDialing) {
        self.dialing = dialing
    }

    package func position(of tablet: TabletRecord) async throws -> Position {
        let answer = try await call("PrimaryPosition", tablet, within: Self.attemptLimit) { client, metadata, options in
            try await Tabletmanagerservice_TabletManager.Client(wrapping: client).primaryPosition(
                request: ClientRequest(message: Tabletmanagerdata_PrimaryPositionRequest(), metadata: metadata),
                options: options
            )
        }
        // No position is one of which everything is missing.
        return try decoded(answer.position, of: tablet, "primary replication position") ?? .mysql56(GTIDSet())
    }

    /// Reads a position that a tablet sent; `nil`: an empty text.
    func decoded(
        _ text: String,
        of tablet: TabletRecord,
        _ name: String = "replication position"
    ) throws -> Position? {
        do {
            return try Position.decode(text)
        } catch {
            throw WorkflowError(
                .topology,
                "can't decode \(name) \"\(text.prefix(200))\" of tablet \(tablet.alias): \(error)"
            )
        }
    }

    /// Runs one call on a connection of its own.
    /// - Throws: ``PrimaryError`` for what no retry heals; ``WorkflowError`` for any other answer that is none.
    func call<Answer: Sendable>(
        _ method: String,
        _ tablet: TabletRecord,
        within limit: Duration,
        _ body:
            @escaping @Sendable (GRPCClient<HTTP2ClientTransport.Posix>, Metadata, CallOptions) async throws -> Answer
    ) async throws -> Answer {
        let place = "TabletManager.\(method) on \(tablet.alias) at \(tablet.hostname)"
        do {
            return try await withDeadline(limit, operation: "\(place):\(tablet.ports["grpc"] ?? 0)") {
                try await dialing.withClient(of: tablet, within: limit, body)
            }
        } catch let error as RPCError {
            try Task.checkCancellation()
            let prefix = method == "PrimaryPosition" ? "can't get primary replication position: " : ""
            let text = "\(prefix)\(place): rpc error: code = \(error.code.goName) desc = \(error.message)"
            // No retry heals that.
            switch error.code {
            case .unauthenticated, .permissionDenied:
                throw PrimaryError("\(text); HINT: check --grpc-auth-static-client-creds")
            case .unimplemented:
                throw PrimaryError(
                    "\(text); HINT: that is no tablet's gRPC port, or its --service-map lacks grpc-tabletmanager"
                )
            // Certificates do not change while we wait.
            case _ where error.isFailedHandshake:
                throw PrimaryError(
                    "\(text)\(error.cause.map { ": \($0)" } ?? ""); HINT: see --tablet-manager-grpc-ca, -cert, -key, -crl and -server-name"
                )
            // The library has no code of its own for it.
            case _ where error.message.contains("maximum payload size"):
                throw PrimaryError("\(text); HINT: see --grpc-max-message-size")
            default: throw WorkflowError(.topology, text, cause: error.cause)
            }
        }
    }
}

extension RPCError {
    /// Words of the TLS library, whose errors have no codes.
    ///
    /// A connection that ends in the middle of a handshake is none of them: whoever is being started does that.
    private static let signsOfRefusal = [
        "CERTIFICATE_VERIFY_FAILED", "WRONG_VERSION_NUMBER", "failedToValidateHostname",
        "serverHostnameImpossibleToMatch", "ALERT_CERTIFICATE_REQUIRED", "ALERT_UNKNOWN_CA", "ALERT_BAD_CERTIFICATE",
        "ALERT_HANDSHAKE_FAILURE",
    ]

    /// Whether the connection failed because one side does not take the other's certificate, or does not speak TLS.
    fileprivate var isFailedHandshake: Bool {
        var text = message
        var next = cause
        while let error = next {
            text += "\n\(error)"
            next = (error as? RPCError)?.cause
        }
        return Self.signsOfRefusal.contains { text.contains($0) }
    }
}

extension RPCError.Code {
    /// As Vitess's clients write it, `DeadlineExceeded`.
    var goName: String {
        "\(self)".split(whereSeparator: { $0 == " " || $0 == "_" }).map { $0.prefix(1).uppercased() + $0.dropFirst() }
            .joined()
    }
}
