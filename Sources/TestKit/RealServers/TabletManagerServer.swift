import GRPCCore
import GRPCNIOTransportHTTP2Posix
import SystemPackage
package import WireProtos

/// A tablet manager on loopback that answers as a test says: a double of a vttablet.
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

    /// What it answers; each may throw an `RPCError`.
    package struct Answers: Sendable {
        package var position: @Sendable () async throws -> String = { throw unimplemented }
        package var replicationStatus: @Sendable () async throws -> Replicationdata_Status = { throw unimplemented }
        package var fullStatus: @Sendable () async throws -> Replicationdata_FullStatus = { throw unimplemented }
        /// Sends events, then ends well or throws.
        package var backup:
            @Sendable (Tabletmanagerdata_BackupRequest, (Logutil_Event) async throws -> Void) async throws -> Void = {
                _,
                _ in throw unimplemented
            }
        package var restore:
            @Sendable (Tabletmanagerdata_RestoreFromBackupRequest, (Logutil_Event) async throws -> Void) async throws
                -> Void = { _, _ in throw unimplemented }

        /// A tablet that knows no method.
        package init() {}

        private static var unimplemented: RPCError { RPCError(code: .unimplemented, message: "this is a double") }
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
        var answers = Answers()
        answers.position = position
        return try await with(answers, login: login, certificates: certificates, body)
    }

    /// Runs `body` with a server that answers.
    package static func with<Result: Sendable>(
        _ answers: Answers,
        login: Login? = nil,
        certificates: TestCertificates? = nil,
        _ body: (TabletManagerServer) async throws -> Result
    ) async throws -> Result {
        let calls = LockedBox(0)
        let server = GRPCServer(
            transport: .http2NIOPosix(
                address: .ipv4(host: "127.0.0.1", port: 0),
                transportSecurity: certificates?.mutualTLS ?? .plaintext
            ),
            services: [Service(answers: answers, calls: calls)],
            interceptors: login.map { [Doorkeeper(login: $0)] } ?? []
        )
        // Beside the body; cancelled with what it still answers when the body has ended.
        async let _: Void = server.serve()
        let port = try await server.listeningAddress?.ipv4?.port ?? 0
        return try await body(TabletManagerServer(port: port, calls: calls))
    }

    private struct Service: Tabletmanagerservice_TabletManager.SimpleServiceProtocol {
        let answers: Answers
        let calls: LockedBox<Int>

        func primaryPosition(
            request: Tabletmanagerdata_PrimaryPositionRequest,
            context: ServerContext
        ) async throws -> Tabletmanagerdata_PrimaryPositionResponse {
            calls.update { $0 += 1 }
            var response = Tabletmanagerdata_PrimaryPositionResponse()
            response.position = try await answers.position()
            return response
        }

        func replicationStatus(
            request: Tabletmanagerdata_ReplicationStatusRequest,
            context: ServerContext
        ) async throws -> Tabletmanagerdata_ReplicationStatusResponse {
            var response = Tabletmanagerdata_ReplicationStatusResponse()
            response.status = try await answers.replicationStatus()
            return response
        }

        func fullStatus(
            request: Tabletmanagerdata_FullStatusRequest,
            context: ServerContext
        ) async throws -> Tabletmanagerdata_FullStatusResponse {
            var response = Tabletmanagerdata_FullStatusResponse()
            response.status = try await answers.fullStatus()
            return response
        }

        func backup(
            request: Tabletmanagerdata_BackupRequest,
            response: RPCWriter<Tabletmanagerdata_BackupResponse>,
            context: ServerContext
        ) async throws {
            try await answers.backup(request) { event in
                var message = Tabletmanagerdata_BackupResponse()
                message.event = event
                try await response.write(message)
            }
        }

        func restoreFromBackup(
            request: Tabletmanagerdata_RestoreFromBackupRequest,
            response: RPCWriter<Tabletmanagerdata_RestoreFromBackupResponse>,
            context: ServerContext
        ) async throws {
            try await answers.restore(request) { event in
                var message = Tabletmanagerdata_RestoreFromBackupResponse()
                message.event = event
                try await response.write(message)
            }
        }

        func ping(
            request: Tabletmanagerdata_PingRequest,
            context: ServerContext
        ) async throws -> Tabletmanagerdata_PingResponse {
            throw RPCError(code: .unimplemented, message: "this is a double")
        }

        func primaryStatus(
            request: Tabletmanagerdata_PrimaryStatusRequest,
            context: ServerContext
        ) async throws -> Tabletmanagerdata_PrimaryStatusResponse {
            throw RPCError(code: .unimplemented, message: "this is a double")
        }
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
