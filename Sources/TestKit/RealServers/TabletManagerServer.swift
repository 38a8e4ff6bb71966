import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Streams
import SystemPackage
import WireProtos

/// A tablet manager on loopback that answers as a test says: a double of a primary's vttablet.
package struct TabletManagerServer: Sendable {
    /// What is needed to be let in.
    package struct Login: Sendable {
        package var user: String
        package var password: String

        /// Names a user.
        package init(user: String, password: String) {
            (self.user, self.password) = (user, password)
        }
    }

    package let port: Int
    /// Calls of PrimaryPosition so far.
    package let calls: LockedBox<Int>

    /// Runs `body` with a server; `position` answers PrimaryPosition.
    ///
    /// With certificates clients need one of the same authority.
    package static func with<Result: Sendable>(
        login: Login? = nil,
        certificates: TestCertificates? = nil,
        position: @escaping @Sendable () async throws -> String,
        _ body: (TabletManagerServer) async throws -> Result
    ) async throws -> Result {
        let calls = LockedBox(0)
        let server = GRPCServer(
            transport: .http2NIOPosix(
                address: .ipv4(host: "127.0.0.1", port: 0),
                transportSecurity: certificates?.mutualTLS ?? .plaintext
            ),
            services: [Service(position: position, calls: calls)],
            interceptors: login.map { [Doorkeeper(login: $0)] } ?? []
        )
        async let serving: Void = server.serve()
        defer { server.beginGracefulShutdown() }
        let port = try await server.listeningAddress?.ipv4?.port ?? 0
        let result = try await body(TabletManagerServer(port: port, calls: calls))
        server.beginGracefulShutdown()
        try await serving
        return result
    }

    private struct Service: Tabletmanagerservice_TabletManager.SimpleServiceProtocol {
        let position: @Sendable () async throws -> String
        let calls: LockedBox<Int>

        func primaryPosition(
            request: Tabletmanagerdata_PrimaryPositionRequest,
            context: ServerContext
        ) async throws -> Tabletmanagerdata_PrimaryPositionResponse {
            calls.update { $0 += 1 }
            var response = Tabletmanagerdata_PrimaryPositionResponse()
            response.position = try await position()
            return response
        }

        private var unimplemented: RPCError { RPCError(code: .unimplemented, message: "this is a double") }

        func ping(
            request: Tabletmanagerdata_PingRequest,
            context: ServerContext
        ) async throws
            -> Tabletmanagerdata_PingResponse
        { throw unimplemented }

        func replicationStatus(
            request: Tabletmanagerdata_ReplicationStatusRequest,
            context: ServerContext
        ) async throws
            -> Tabletmanagerdata_ReplicationStatusResponse
        { throw unimplemented }

        func primaryStatus(
            request: Tabletmanagerdata_PrimaryStatusRequest,
            context: ServerContext
        ) async throws
            -> Tabletmanagerdata_PrimaryStatusResponse
        { throw unimplemented }

        func fullStatus(
            request: Tabletmanagerdata_FullStatusRequest,
            context: ServerContext
        ) async throws
            -> Tabletmanagerdata_FullStatusResponse
        { throw unimplemented }

        func backup(
            request: Tabletmanagerdata_BackupRequest,
            response: RPCWriter<Tabletmanagerdata_BackupResponse>,
            context: ServerContext
        ) async throws { throw unimplemented }

        func restoreFromBackup(
            request: Tabletmanagerdata_RestoreFromBackupRequest,
            response: RPCWriter<Tabletmanagerdata_RestoreFromBackupResponse>,
            context: ServerContext
        ) async throws { throw unimplemented }
    }

    /// As `--grpc-auth-mode static` of Vitess.
    private struct Doorkeeper: ServerInterceptor {
        let login: Login

        func intercept<Input: Sendable, Output: Sendable>(
            request: StreamingServerRequest<Input>,
            context: ServerContext,
            next:
                @concurrent @Sendable (
                    _ request: StreamingServerRequest<Input>,
                    _ context: ServerContext
                ) async throws -> StreamingServerResponse<Output>
        ) async throws -> StreamingServerResponse<Output> {
            let user = request.metadata[stringValues: "username"].first { _ in true }
            let password = request.metadata[stringValues: "password"].first { _ in true }
            guard let user, let password else {
                throw RPCError(code: .unauthenticated, message: "username and password must be provided")
            }
            guard user == login.user, password == login.password else {
                throw RPCError(
                    code: .permissionDenied,
                    message: "auth failure: caller \"\(user)\" provided invalid credentials"
                )
            }
            return try await next(request, context)
        }
    }
}

extension TestCertificates {
    fileprivate var mutualTLS: HTTP2ServerTransport.Posix.TransportSecurity {
        .mTLS(
            certificateChain: [.file(path: server.string, format: .pem)],
            privateKey: .file(path: serverKey.string, format: .pem)
        ) { config in
            config.trustRoots = .certificates([.file(path: authority.string, format: .pem)])
            // The certificate of a client names nobody whom it could be compared with.
            config.clientCertificateVerification = .noHostnameVerification
        }
    }
}
