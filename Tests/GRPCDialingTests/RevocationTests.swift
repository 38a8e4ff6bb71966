import FoundationEssentials
import GRPCDialing
import Host
import NIOSSL
import SystemPackage
import TestKit
import Testing

/// Lists of revoked certificates as openssl makes them.
@Suite(
    "revoked certificates",
    .enabled(if: RealComponents.has(programs: "openssl"), "openssl is missing"),
    .timeLimit(.minutes(5))
)
struct RevocationTests {
    private func withCertificates(_ body: (TestCertificates) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            try await body(try await TestCertificates(in: folder.appending("c")))
        }
    }

    private func text(_ file: FilePath) throws -> String {
        String(decoding: try FileTree.read(file, limit: 1 << 20) ?? [], as: UTF8.self)
    }

    private func verifier(
        _ certificates: TestCertificates,
        _ lists: FilePath...,
        now: Date = Date()
    ) throws -> CertificateVerifier {
        try CertificateVerifier(
            lists: try lists.map(text).joined(),
            authorities: try text(certificates.authority),
            now: now
        )
    }

    private func presented(_ files: FilePath...) throws -> [NIOSSLCertificate] {
        try files.flatMap { try NIOSSLCertificate.fromPEMFile($0.string) }
    }

    private func expectRefusal(_ text: String, _ body: () async throws -> Void) async {
        let error = await #expect(throws: CertificateVerifier.Refusal.self) { try await body() }
        #expect(error?.description.contains(text) == true, "\(error?.description ?? "")")
    }

    @Test("one that is in the list is refused, another one is not")
    func revoked() async throws {
        try await withCertificates { certificates in
            let client = try verifier(certificates, try await certificates.revocationList(revoking: ["client"]))
            let server = try presented(certificates.server)
            #expect(try await client.verify(server, of: "localhost").count == 2)
            #expect(try await client.verify(server, of: "127.0.0.1").count == 2)
            let both = try verifier(
                certificates,
                try await certificates.revocationList(revoking: ["client", "server"])
            )
            await expectRefusal("Certificate revoked: CN=server") { _ = try await both.verify(server, of: "localhost") }
            // Everything else is verified as without lists.
            for other in ["other.example", "127.0.0.2", "localhost.example"] {
                await expectRefusal("certificate of \(other) is refused: ") {
                    _ = try await client.verify(server, of: other)
                }
            }
            let stranger = try await TestCertificates(in: certificates.folder.appending("stranger"))
            await expectRefusal("leads to none of the authorities") {
                _ = try await client.verify(try presented(stranger.server), of: "localhost")
            }
            let many = [NIOSSLCertificate](repeating: server[0], count: 9)
            await expectRefusal("9 certificates, which is no chain") {
                _ = try await client.verify(many, of: "localhost")
            }
            await expectRefusal("presents no certificate") { _ = try await client.verify([], of: "localhost") }
        }
    }

    @Test("so is one whose authority is, and one that the authority's authority has revoked")
    func chain() async throws {
        try await withCertificates { certificates in
            try await certificates.addIntermediate()
            let chain = try presented(
                certificates.folder.appending("leaf.pem"),
                certificates.folder.appending("middle.pem")
            )
            let none = try verifier(certificates, try await certificates.revocationList(revoking: []))
            #expect(try await none.verify(chain, of: "localhost").count == 3)
            let middle = try verifier(certificates, try await certificates.revocationList(revoking: ["middle"]))
            await expectRefusal("Certificate revoked: CN=middle") {
                _ = try await middle.verify(chain, of: "localhost")
            }
            let leaf = try verifier(
                certificates,
                try await certificates.revocationList(revoking: ["leaf"], by: "middle")
            )
            await expectRefusal("Certificate revoked: CN=leaf") { _ = try await leaf.verify(chain, of: "localhost") }
        }
    }

    @Test("of an issuer's lists the newest counts; one that is overdue still counts, and is told")
    func newest() async throws {
        try await withCertificates { certificates in
            let old = try await certificates.revocationList(
                revoking: ["server"],
                dates: ("20200101000000Z", "20200201000000Z")
            )
            let new = try await certificates.revocationList(revoking: [])
            let server = try presented(certificates.server)
            for lists in [[old, new], [new, old]] {
                let both = try verifier(certificates, lists[0], lists[1])
                #expect(try await both.verify(server, of: "localhost").count == 2)
                #expect(both.warnings(at: Date()).isEmpty)
            }
            let overdue = try verifier(certificates, old)
            #expect(overdue.warnings(at: Date()).count == 1)
            #expect(overdue.warnings(at: Date()).first?.contains("CN=authority should have been replaced") == true)
            await expectRefusal("Certificate revoked") { _ = try await overdue.verify(server, of: "localhost") }
        }
    }

    @Test("lists that do not tell everything, are not the authority's, or are from the future, are refused at once")
    func unusable() async throws {
        try await withCertificates { certificates in
            func refused(_ list: FilePath, _ reason: String) async {
                await expectRefusal(reason) { _ = try verifier(certificates, list) }
            }
            await refused(
                try await certificates.revocationList(
                    revoking: [],
                    extensions: "2.5.29.27=critical,ASN1:INTEGER:1"
                ),
                "a delta of another list"
            )
            await refused(
                try await certificates.revocationList(
                    revoking: [],
                    extensions: "issuingDistributionPoint=critical,@point\n[point]\nonlyuser=TRUE"
                ),
                "limited to some certificates"
            )
            await refused(
                try await certificates.revocationList(
                    revoking: [],
                    extensions: "1.2.3.4=critical,ASN1:INTEGER:1"
                ),
                "critical extension 1.2.3.4"
            )
            await refused(
                try await certificates.revocationList(revoking: [], dates: ("20991231000000Z", "21000101000000Z")),
                "from the future"
            )
            // Of the same name, with another key.
            let stranger = try await TestCertificates(in: certificates.folder.appending("stranger"))
            await refused(try await stranger.revocationList(revoking: []), "is not signed by that authority")

            let good = try text(try await certificates.revocationList(revoking: ["client"]))
            let file = certificates.folder.appending("damaged.crl")
            for (content, reason) in [
                ("", "no X509 CRL block"), (try text(certificates.authority), "no X509 CRL block"),
                ("-----BEGIN X509 CRL-----\n", "has no end"),
                (good.replacing("-----END X509 CRL-----", with: ""), "has no end"),
                (good.replacing("\nMI", with: "\n?I"), "is damaged"),
                ("-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n", "it ends early"),
                (good.replacing("X509 CRL", with: "CERTIFICATE"), "no X509 CRL block"),
            ] {
                try FileTree.write(Array(content.utf8), to: file)
                await refused(file, reason)
            }
        }
    }

    @Test("bytes that are changed anywhere are refused, or the list is somebody else's and says so")
    func damaged() async throws {
        try await withCertificates { certificates in
            let list = try text(try await certificates.revocationList(revoking: ["server"]))
            let lines = list.split(separator: "\n").filter { !$0.hasPrefix("-") }
            let der = try #require(Data(base64Encoded: lines.joined()))
            let server = try presented(certificates.server)
            let authorities = try text(certificates.authority)
            func verifier(_ der: Data) throws -> CertificateVerifier {
                // On one line, as other tools write it.
                let pem = "-----BEGIN X509 CRL-----\n\(der.base64EncodedString())\n-----END X509 CRL-----\n"
                return try CertificateVerifier(lists: pem, authorities: authorities, now: Date())
            }
            await expectRefusal("Certificate revoked") {
                _ = try await verifier(der).verify(server, of: "localhost")
            }
            var parsed = 0
            for index in der.indices {
                var damaged = der
                damaged[index] ^= 0x21
                guard let verifier = try? verifier(damaged) else { continue }
                parsed += 1
                // Only the list of another authority lets anybody in whom ours has revoked.
                guard (try? await verifier.verify(server, of: "localhost")) != nil else { continue }
                #expect(verifier.warnings(at: Date()).contains { $0.contains("of none of the trusted authorities") })
            }
            #expect(parsed > 0 && parsed < der.count)
        }
    }

    @Test("who is no authority issues nothing, and authorities of clients nothing for servers")
    func chains() async throws {
        for (extensions, reason) in [
            ("basicConstraints=critical,CA:TRUE", nil), ("basicConstraints=CA:FALSE", "refused"),
            ("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,digitalSignature", "is no authority"),
            ("basicConstraints=critical,CA:TRUE\nextendedKeyUsage=clientAuth", "is not for servers"),
        ] as [(String, String?)] {
            try await withCertificates { certificates in
                try await certificates.addIntermediate(extensions: extensions)
                let chain = try presented(
                    certificates.folder.appending("leaf.pem"),
                    certificates.folder.appending("middle.pem")
                )
                let verifier = try CertificateVerifier(
                    lists: nil,
                    authorities: try text(certificates.authority),
                    now: Date()
                )
                guard let reason else {
                    #expect(try await verifier.verify(chain, of: "localhost").count == 3)
                    return
                }
                await expectRefusal(reason) { _ = try await verifier.verify(chain, of: "localhost") }
            }
        }
    }

    @Test("an authority in the file that its own authority has revoked is none any more")
    func revokedAuthority() async throws {
        try await withCertificates { certificates in
            try await certificates.addIntermediate()
            let middle = certificates.folder.appending("middle.pem")
            let chain = try presented(certificates.folder.appending("leaf.pem"))
            let authorities = try text(certificates.authority) + text(middle)
            let none = try await certificates.revocationList(revoking: [])
            let trusting = try CertificateVerifier(lists: try text(none), authorities: authorities, now: Date())
            #expect(try await trusting.verify(chain, of: "localhost").count >= 2)
            let list = try await certificates.revocationList(revoking: ["middle"])
            let verifier = try CertificateVerifier(lists: try text(list), authorities: authorities, now: Date())
            await expectRefusal("refused") { _ = try await verifier.verify(chain, of: "localhost") }
        }
    }
}
