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
    private let dialing: TabletDialing

    /// Dials as `dialing` says.
    package init(dialing: TabletDialing) {
        self.dialing = dialing
    }

    package func position(of tablet: TabletRecord) async throws -> Position {
        let answer = try await call("PrimaryPosition", tablet) { client, metadata, options in
            try await Tabletmanagerservice_TabletManager.Client(wrapping: client).primaryPosition(
                request: ClientRequest(message: Tabletmanagerdata_PrimaryPositionRequest(), metadata: metadata),
                options: options
            )
        }
        do {
            // No position is one of which everything is missing.
            return try Position.decode(answer.position) ?? .mysql56(GTIDSet())
        } catch {
            throw WorkflowError(
                .topology,
                "can't decode primary replication position \"\(answer.position.prefix(200))\" of tablet \(tablet.alias): \(error)"
            )
        }
    }

    private func call<Answer: Sendable>(
        _ method: String,
        _ tablet: TabletRecord,
        _ body:
            @escaping @Sendable (GRPCClient<HTTP2ClientTransport.Posix>, Metadata, CallOptions) async throws -> Answer
    ) async throws -> Answer {
        do {
            return try await withDeadline(
                Self.attemptLimit,
                operation:
                    "TabletManager.\(method) on \(tablet.alias) at \(tablet.hostname):\(tablet.ports["grpc"] ?? 0)"
            ) {
                try await dialing.withClient(of: tablet, within: Self.attemptLimit, body)
            }
        } catch let error as RPCError {
            try Task.checkCancellation()
            let text =
                "can't get primary replication position: TabletManager.\(method) on \(tablet.alias) at \(tablet.hostname): rpc error: code = \(error.code.goName) desc = \(error.message)"
            // No retry heals that.
            switch error.code {
            case .unauthenticated, .permissionDenied:
                throw PrimaryError("\(text); HINT: check --grpc-auth-static-client-creds")
            case .unimplemented:
                throw PrimaryError(
                    "\(text); HINT: that is no tablet's gRPC port, or its --service-map lacks grpc-tabletmanager"
                )
            // The library has no code of its own for it.
            case _ where error.message.contains("maximum payload size"):
                throw PrimaryError("\(text); HINT: see --grpc-max-message-size")
            default: throw WorkflowError(.topology, text, cause: error.cause)
            }
        }
    }
}

extension RPCError.Code {
    /// As Vitess's clients write it, `DeadlineExceeded`.
    var goName: String {
        "\(self)".split(whereSeparator: { $0 == " " || $0 == "_" }).map { $0.prefix(1).uppercased() + $0.dropFirst() }
            .joined()
    }
}
