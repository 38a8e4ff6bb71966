import Crypto
import CryptoExtras
import Testing

@testable import MySQLWire

@Suite("Proofs of a password")
struct PasswordProofTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        var password: String
        var nonce: [UInt8]
        var native: String
        var sha2: String
        var testDescription: String { "\(password.prefix(12)), nonce \(nonce[0])…" }
    }

    private static let counting = (1...20).map { UInt8($0) }
    private static let wild: [UInt8] = [
        0x00, 0xff, 0x10, 0x7a, 0x5c, 0x27, 0x22, 0x3b, 0x0d, 0x0a, 0x80, 0x81, 0xfe, 0xff, 0xc3, 0xa4, 0x41, 0x42,
        0x43, 0x44,
    ]

    /// Computed with Python's `hashlib`.
    private static let vectors = [
        Vector(
            password: "secret",
            nonce: counting,
            native: "b32bb3a583e1340c0a1108d58b1be49781ad8c2f",
            sha2: "746ebe205d56a0707acb3e796e834e0dd7b1d61743b26bd5202c7a623230c7c9"
        ),
        Vector(
            password: "secret",
            nonce: wild,
            native: "a4ef60cd6b058b1e07250ddd0540382a0156026e",
            sha2: "e9fb7a6c928ca80ef512da4d20caa2f3339d098e9d92746a7461c65675ee5b0e"
        ),
        Vector(
            password: "pässwörd'\\",
            nonce: counting,
            native: "a122c1c1174140d971675a0f9a9c20366bb3cadb",
            sha2: "98da1e0c31e3e8305416fb07f3b667c867416e5af47b48a50f1a75b7a86a0b4f"
        ),
        Vector(
            password: "pässwörd'\\",
            nonce: wild,
            native: "14be1bb2783b381e960d898a5442ef2dac1d3b88",
            sha2: "4e702e5740672697bb885dfa8f53366af236ec16d615bb30aa534d5e891dbdb0"
        ),
        Vector(
            password: String(repeating: "x", count: 100),
            nonce: counting,
            native: "6541a8abdddf4ef45dc85af50fea8323acc26efa",
            sha2: "4592059f364747ec3f0468a28489bf7241ae6d1460d68826af723918ecacd09f"
        ),
        Vector(
            password: String(repeating: "x", count: 100),
            nonce: wild,
            native: "376e8e617f7b01f659aa4dfba40fc6dc129caa44",
            sha2: "b78b59e6fcd6b0803f7698b39f830f266834e4a8bb7b8a0766bf1d1e09bda740"
        ),
    ]

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test("known values", arguments: vectors)
    func known(_ vector: Vector) {
        #expect(hex(PasswordProof.native(password: vector.password, nonce: vector.nonce)) == vector.native)
        #expect(hex(PasswordProof.cachingSHA2(password: vector.password, nonce: vector.nonce)) == vector.sha2)
    }

    @Test("an empty password has an empty proof")
    func empty() {
        #expect(PasswordProof.native(password: "", nonce: Self.counting).isEmpty)
        #expect(PasswordProof.cachingSHA2(password: "", nonce: Self.counting).isEmpty)
    }

    @Test(
        "encrypted, the password comes back mixed with the nonce",
        arguments: ["secret", "", String(repeating: "x", count: 100)]
    )
    func encrypted(password: String) throws {
        let key = try _RSA.Encryption.PrivateKey(keySize: .bits2048)
        let sent = try PasswordProof.encrypted(
            password: password,
            nonce: Self.wild,
            publicKeyPEM: key.publicKey.pemRepresentation
        )
        let mixed = Array(try key.decrypt(sent, padding: .PKCS1_OAEP))
        let plain = mixed.enumerated().map { $0.element ^ Self.wild[$0.offset % 20] }
        #expect(plain == Array(password.utf8) + [0])
    }

    @Test("a key in the older form is read as well")
    func olderForm() throws {
        let key = try _RSA.Encryption.PrivateKey(keySize: .bits2048)
        let pem = key.publicKey.pkcs1PEMRepresentation
        let sent = try PasswordProof.encrypted(password: "secret", nonce: Self.wild, publicKeyPEM: pem)
        #expect(try key.decrypt(sent, padding: .PKCS1_OAEP).count == 7)
    }

    @Test(
        "a key that is none is an error of the protocol",
        arguments: [
            "", "-----BEGIN PUBLIC KEY-----\nnonsense\n", "key",
            "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n",
            "-----BEGIN PUBLIC KEY-----\nbm9uc2Vuc2U=\n-----END PUBLIC KEY-----\n",
            "-----BEGIN RSA PUBLIC KEY-----\nMAYCAQMCAQM=\n-----END RSA PUBLIC KEY-----\n",
            "-----BEGIN CERTIFICATE-----\nMAYCAQMCAQM=\n-----END CERTIFICATE-----\n",
        ]
    )
    func badKey(pem: String) {
        let error = #expect(throws: MySQLWireError.self) {
            try PasswordProof.encrypted(password: "secret", nonce: Self.counting, publicKeyPEM: pem)
        }
        #expect(error?.code == .protocolViolation)
        #expect(error?.message.contains("secret") == false)
    }
}
