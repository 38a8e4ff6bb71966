import Concurrency
import GRPCCore
import GRPCDialing
import GRPCNIOTransportHTTP2Posix
package import Positions
package import Topology
import WireProtos
import Workflows

/// Asks tablets by their gRPC service, with a fresh connection for each call.
package struct TabletManagerClient: PrimaryTablet {
    /// Leaves something of a minute for a look at who listens there.
    private static let attemptLimit = Duration.seconds(45)
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
                if let error = await faultOfPort(text, tablet, error.cause) { throw error }
                throw PrimaryError(
                    "\(text)\(error.cause.map { ": \($0)" } ?? ""); HINT: see --tablet-manager-grpc-ca, -cert, -key, -crl and -server-name"
                )
            // The library has no code of its own for it.
            case _ where error.message.contains("maximum payload size"):
                throw PrimaryError("\(text); HINT: see --grpc-max-message-size")
            case .unavailable, .deadlineExceeded, .unknown, .internalError:
                throw await faultOfPort(text, tablet, error.cause)
                    ?? WorkflowError(.topology, text, cause: error.cause)
            default: throw WorkflowError(.topology, text, cause: error.cause)
            }
        } catch let error as DeadlineExceeded {
            try Task.checkCancellation()
            throw await faultOfPort("\(error)", tablet, nil) ?? WorkflowError(.topology, "\(error)")
        }
    }

    /// What is wrong with the port of a tablet that could not be called; `nil`: nothing that can be seen.
    private func faultOfPort(_ text: String, _ tablet: TabletRecord, _ cause: (any Error)?) async -> (any Error)? {
        guard let port = tablet.ports["grpc"],
            let found = await PortProtocol.look(atHost: tablet.hostname, port: port),
            let fault = found.fault(isEncrypted: dialing.isEncrypted)
        else { return nil }
        let full = "\(text): \(fault)"
        return found.isFinal ? PrimaryError(full) : WorkflowError(.topology, full, cause: cause)
    }
}

extension RPCError {
    /// Whether the connection failed because one side does not take the other's certificate, or does not speak TLS.
    fileprivate var isFailedHandshake: Bool {
        var next = cause
        while let error = next {
            if isRefusedHandshake(error) { return true }
            next = (error as? RPCError)?.cause
        }
        return false
    }
}

extension RPCError.Code {
    /// As Vitess's clients write it, `DeadlineExceeded`.
    var goName: String {
        "\(self)".split(whereSeparator: { $0 == " " || $0 == "_" }).map { $0.prefix(1).uppercased() + $0.dropFirst() }
            .joined()
    }
}
