import Streams
package import SystemPackage

/// An authority, and a server's and a client's certificate of it, made by openssl.
package struct TestCertificates: Sendable {
    package let folder: FilePath

    package var authority: FilePath { folder.appending("ca.pem") }
    package var server: FilePath { folder.appending("server.pem") }
    package var serverKey: FilePath { folder.appending("server.key") }
    package var client: FilePath { folder.appending("client.pem") }
    package var clientKey: FilePath { folder.appending("client.key") }

    /// Makes the files.
    /// - Parameters:
    ///   - folder: where they go; it is created.
    ///   - names: what the server's certificate is for, as openssl writes it: `IP:127.0.0.1`, `DNS:localhost`.
    /// - Throws: what openssl says is wrong.
    package init(in folder: FilePath, names: String = "IP:127.0.0.1,DNS:localhost") async throws {
        self.folder = folder
        try FileTree.createDirectory(folder, parents: true)
        let script = """
            set -e
            cd "$1"
            key() { openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$1"; }
            key ca.key
            openssl req -x509 -new -key ca.key -subj /CN=authority -days 2 -out ca.pem
            sign() {
                key "$1.key"
                printf 'subjectAltName=%s\\nextendedKeyUsage=serverAuth,clientAuth\\n' "$2" >"$1.ext"
                openssl req -new -key "$1.key" -subj "/CN=$1" |
                    openssl x509 -req -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile "$1.ext" -out "$1.pem"
            }
            sign server "$2"
            sign client DNS:client
            """
        let run = try await Programs.run("/bin/bash", ["-c", script, "-", folder.string, names])
        guard run.succeeded else { throw OpenSSLFailure(description: run.standardError) }
    }
}

private struct OpenSSLFailure: Error, CustomStringConvertible {
    let description: String
}
