import CryptoExtras
import FoundationEssentials
import SwiftASN1

/// The RSA key that a server sends for passwords, as PEM.
///
/// Its numbers are read here: swift-crypto's own reading of a PEM or DER that is none frees its key twice (seen in 4.5.0),
/// and whoever answers on a port could end us with it.
struct ServerKey {
    let key: _RSA.Encryption.PublicKey

    private static let smallest = 2048
    private static let largest = 16_384

    /// Reads a key.
    /// - Throws: an error that says what it is instead.
    init(pem: String) throws {
        let document = try PEMDocument(pemString: pem)
        let numbers =
            switch document.discriminator {
            case "PUBLIC KEY": try Self.numbers(inSubject: document.derBytes[...])
            case "RSA PUBLIC KEY": try Self.numbers(document.derBytes[...])
            default: throw UnusableKey(description: "a PEM of a \(document.discriminator)")
            }
        guard (Self.smallest...Self.largest).contains(numbers.modulus.count * 8) else {
            throw UnusableKey(description: "a key of \(numbers.modulus.count * 8) bits")
        }
        key = try _RSA.Encryption.PublicKey(n: numbers.modulus, e: numbers.exponent)
        guard key.keySizeInBits % 8 == 0 else { throw UnusableKey(description: "a key of \(key.keySizeInBits) bits") }
    }

    private typealias Numbers = (modulus: Data, exponent: Data)

    /// SubjectPublicKeyInfo of RFC 5280: an algorithm, and RFC 8017's key in a bit string.
    private static func numbers(inSubject bytes: ArraySlice<UInt8>) throws -> Numbers {
        try DER.sequence(try DER.parse(bytes), identifier: .sequence) { nodes in
            guard nodes.next() != nil else { throw UnusableKey(description: "a key without an algorithm") }
            return try numbers(try ASN1BitString(derEncoded: &nodes).bytes)
        }
    }

    /// RSAPublicKey of RFC 8017: modulus and exponent.
    private static func numbers(_ bytes: ArraySlice<UInt8>) throws -> Numbers {
        try DER.sequence(try DER.parse(bytes), identifier: .sequence) { nodes in
            let modulus = try ArraySlice<UInt8>(derEncoded: &nodes)
            let exponent = try ArraySlice<UInt8>(derEncoded: &nodes)
            return (Data(modulus.drop { $0 == 0 }), Data(exponent))
        }
    }
}

private struct UnusableKey: Error, CustomStringConvertible {
    let description: String
}
