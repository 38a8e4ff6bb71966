import Host
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
        try await Self.run(script, folder.string, names)
    }

    private static func run(_ script: String, _ arguments: String...) async throws {
        let run = try await Programs.run("/bin/bash", ["-c", script, "-"] + arguments)
        guard run.succeeded else { throw OpenSSLFailure(description: run.standardError) }
    }

    // MARK: Chains and lists of revoked certificates

    /// An authority below ours (`middle.pem`) with extensions as openssl writes them, and a server's certificate of it
    /// (`leaf.pem`).
    package func addIntermediate(
        extensions: String = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign"
    ) async throws {
        let script = """
            set -e
            cd "$1"
            key() { openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$1"; }
            key middle.key
            echo "$2" >middle.ext
            openssl req -new -key middle.key -subj /CN=middle |
                openssl x509 -req -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile middle.ext -out middle.pem
            key leaf.key
            printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\\nextendedKeyUsage=serverAuth\\n' >leaf.ext
            openssl req -new -key leaf.key -subj /CN=leaf |
                openssl x509 -req -CA middle.pem -CAkey middle.key -CAcreateserial -days 2 -extfile leaf.ext -out leaf.pem
            """
        try await Self.run(script, folder.string, extensions)
    }

    /// A list of revoked certificates.
    /// - Parameters:
    ///   - certificates: file names without `.pem`.
    ///   - authority: `ca` or `middle`.
    ///   - dates: of issue and of the next one, as openssl writes them; `nil`: now, and in a day.
    ///   - extensions: lines of an openssl section `crl`, and what they refer to.
    /// - Returns: the file.
    /// - Throws: what openssl says is wrong.
    package func revocationList(
        revoking certificates: [String],
        by authority: String = "ca",
        dates: (issued: String, next: String)? = nil,
        extensions: String = ""
    ) async throws -> FilePath {
        let name = "list-\(try FileTree.list(folder)?.count ?? 0)"
        let script = """
            set -e
            cd "$1"
            : >"$2.index"
            echo 01 >"$2.number"
            cat >"$2.cnf" <<END
            [ca]
            default_ca = list
            [list]
            database = $2.index
            crlnumber = $2.number
            default_md = sha256
            default_crl_days = 1
            [crl]
            $6
            END
            by="-config $2.cnf -cert $3.pem -keyfile $3.key"
            for one in $4; do openssl ca $by -revoke "$one.pem"; done
            openssl ca $by -gencrl -out "$2.crl" $5 ${6:+-crlexts crl}
            """
        let times = dates.map { "-crl_lastupdate \($0.issued) -crl_nextupdate \($0.next)" } ?? ""
        try await Self.run(
            script,
            folder.string,
            name,
            authority,
            certificates.joined(separator: " "),
            times,
            extensions
        )
        return folder.appending("\(name).crl")
    }
}

private struct OpenSSLFailure: Error, CustomStringConvertible {
    let description: String
}
