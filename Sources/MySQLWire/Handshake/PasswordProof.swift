import Crypto
import CryptoExtras
import FoundationEssentials

/// What a client sends instead of its password.
enum PasswordProof {
    /// `mysql_native_password`: SHA1(password) xor SHA1(nonce + SHA1(SHA1(password))).
    static func native(password: String, nonce: [UInt8]) -> [UInt8] {
        if password.isEmpty { return [] }
        let once = Array(Insecure.SHA1.hash(data: Array(password.utf8)))
        let twice = Array(Insecure.SHA1.hash(data: once))
        return xor(once, Array(Insecure.SHA1.hash(data: nonce + twice)))
    }

    /// `caching_sha2_password`, fast path: SHA256(password) xor SHA256(SHA256(SHA256(password)) + nonce).
    static func cachingSHA2(password: String, nonce: [UInt8]) -> [UInt8] {
        if password.isEmpty { return [] }
        let once = Array(SHA256.hash(data: Array(password.utf8)))
        let twice = Array(SHA256.hash(data: once))
        return xor(once, Array(SHA256.hash(data: twice + nonce)))
    }

    /// The password for the full path without TLS: mixed with the nonce, encrypted with the server's key (OAEP, SHA-1).
    /// - Throws: ``MySQLWireError`` when the key is none.
    static func encrypted(password: String, nonce: [UInt8], publicKeyPEM: String) throws(MySQLWireError) -> [UInt8] {
        let plain = Array(password.utf8) + [0]
        let mixed = plain.enumerated().map { $0.element ^ nonce[$0.offset % nonce.count] }
        do {
            let key = try ServerKey(pem: publicKeyPEM).key
            return Array(try key.encrypt(Data(mixed), padding: .PKCS1_OAEP))
        } catch {
            throw MySQLWireError(
                .protocolViolation,
                "the server's public key for passwords cannot be used: \(error)"
            )
        }
    }

    private static func xor(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
        zip(left, right).map { $0 ^ $1 }
    }
}
