import Glibc
import Subprocess
package import SystemPackage

/// A real etcd on loopback, with a data folder of its own.
package struct EtcdServer: Sendable {
    /// The series that `Scripts/bootstrap` brings.
    package enum Series: String, Sendable, CaseIterable {
        case debian12 = "3.4"
        case unstable = "3.5"
    }

    /// Certificates for its client port; clients need one of the same authority.
    package struct TLS: Sendable {
        package var certificate: FilePath
        package var key: FilePath
        package var authorities: FilePath

        /// Names the files.
        package init(certificate: FilePath, key: FilePath, authorities: FilePath) {
            (self.certificate, self.key, self.authorities) = (certificate, key, authorities)
        }
    }

    /// One of several servers of one cluster.
    package struct Member: Sendable {
        package var name: String
        package var port: Int
        package var peerPort: Int
        /// All of them, as `--initial-cluster` takes them.
        package var cluster: String

        /// Describes `count` members on free ports of loopback.
        package static func cluster(of count: Int) -> [Member] {
            let ports = (0..<count).map { _ in (freePort(), freePort()) }
            let all = ports.enumerated().map { "m\($0.offset)=http://127.0.0.1:\($0.element.1)" }.joined(separator: ",")
            return ports.enumerated().map { index, ports in
                Member(name: "m\(index)", port: ports.0, peerPort: ports.1, cluster: all)
            }
        }
    }

    package let port: Int
    /// Where it keeps its data, and may be started again on.
    package let folder: FilePath
    package let process: Int32

    /// `127.0.0.1:port`.
    package var address: String { "127.0.0.1:\(port)" }

    /// Runs `body` with a server that answers, and kills it afterwards.
    package static func with<Result: Sendable>(
        _ series: Series = .unstable,
        port: Int = freePort(),
        tls: TLS? = nil,
        member: Member? = nil,
        in folder: FilePath,
        _ body: @escaping @Sendable (EtcdServer) async throws -> Result
    ) async throws -> Result {
        guard let root = RealComponents.etcdRoot else { throw EtcdFailure(description: "VTB_ETCD_ROOT is not set") }
        let scheme = tls == nil ? "http" : "https"
        let port = member?.port ?? port
        let peer = "http://127.0.0.1:\(member?.peerPort ?? freePort())"
        var clients = "\(scheme)://127.0.0.1:\(port)"
        if RealComponents.hasIPv6 { clients += ",\(scheme)://[::1]:\(port)" }
        var arguments = [
            "--data-dir=\(folder)", "--name=\(member?.name ?? "e")", "--log-level=error",
            "--listen-client-urls=\(clients)",
            "--advertise-client-urls=\(scheme)://127.0.0.1:\(port)",
            "--listen-peer-urls=\(peer)",
        ]
        if let member {
            arguments += ["--initial-advertise-peer-urls=\(peer)", "--initial-cluster=\(member.cluster)"]
        }
        if let tls {
            arguments += [
                "--cert-file=\(tls.certificate)", "--key-file=\(tls.key)", "--client-cert-auth",
                "--trusted-ca-file=\(tls.authorities)",
            ]
        }
        let result = LockedBox<Result?>(nil)
        let run = try await Programs.run(
            root.appending(series.rawValue).appending("bin").appending("etcd"),
            arguments
        ) { process in
            defer { kill(process, SIGKILL) }
            try await waitForListener(port, process)
            let server = EtcdServer(port: port, folder: folder, process: process)
            result.set(try await body(server))
        }
        guard let result = result.get() else { throw EtcdFailure(description: "etcd: \(run.standardError)") }
        return result
    }

    /// Its port answers before etcd serves; requests then wait for it.
    private static func waitForListener(_ port: Int, _ process: Int32) async throws {
        while !isListening(port) {
            guard Programs.isAlive(process) else { throw EtcdFailure(description: "etcd ended before it listened") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

private struct EtcdFailure: Error, CustomStringConvertible {
    let description: String
}
