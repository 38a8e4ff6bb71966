import FoundationEssentials
import SwiftASN1
import X509

/// A complete list of the certificates that an authority has revoked (RFC 5280, section 5).
struct RevocationList: Sendable {
    let issuer: DistinguishedName
    let issued: Date
    /// After it the authority has a newer one; what is revoked stays revoked.
    let nextIssue: Date?
    private let revoked: Set<Certificate.SerialNumber>
    private let signedBytes: ArraySlice<UInt8>
    private let signature: ArraySlice<UInt8>
    private let algorithm: Certificate.SignatureAlgorithm

    /// Why a document is no list that could be used.
    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    /// Reads the DER form.
    /// - Throws: ``Refusal``, also for lists that hold only some of the revoked certificates: deltas, lists of other
    ///   authorities' certificates, and limited ones.
    init(_ der: [UInt8]) throws {
        do {
            self = try DER.sequence(try DER.parse(der), identifier: .sequence) { nodes in try RevocationList(&nodes) }
        } catch let error as ASN1Error {
            throw Refusal(description: "it is no list of revoked certificates: \(error)")
        }
    }

    /// `CertificateList`: what is signed, by which algorithm, and the signature.
    private init(_ nodes: inout ASN1NodeCollection.Iterator) throws {
        guard let signed = nodes.next(), let identifier = nodes.next() else {
            throw Refusal(description: "it ends early")
        }
        signedBytes = signed.encodedBytes
        let algorithm = try Self.algorithm(identifier)
        self.algorithm = algorithm
        signature = try ASN1BitString(derEncoded: &nodes).bytes
        (issuer, issued, nextIssue, revoked) = try DER.sequence(signed, identifier: .sequence) { fields in
            try Self.content(&fields, algorithm)
        }
    }

    /// How the signature stands to a key.
    enum Signature {
        case valid
        /// The key's, whose certificate does not allow it to sign lists.
        case notAllowed
        /// Of another key.
        case others
    }

    /// Whether the owner of `authority` has signed the list, and may sign lists.
    func signature(of authority: Certificate) -> Signature {
        guard authority.publicKey.isValidSignature(signature, for: signedBytes, signatureAlgorithm: algorithm) else {
            return .others
        }
        do {
            return try authority.extensions.keyUsage?.cRLSign ?? true ? .valid : .notAllowed
        } catch {
            return .notAllowed
        }
    }

    /// Whether the list names the certificate, which must be one of its issuer.
    func revokes(_ certificate: Certificate) -> Bool { revoked.contains(certificate.serialNumber) }

    // MARK: Fields

    private typealias Content = (DistinguishedName, Date, Date?, Set<Certificate.SerialNumber>)

    /// `TBSCertList`.
    private static func content(
        _ fields: inout ASN1NodeCollection.Iterator,
        _ algorithm: Certificate.SignatureAlgorithm
    ) throws -> Content {
        var next = try required(fields.next())
        if next.identifier == .integer {
            guard try Int(derEncoded: next) == 1 else { throw Refusal(description: "its version is not 2") }
            next = try required(fields.next())
        }
        guard try Self.algorithm(next) == algorithm else {
            throw Refusal(description: "it names two algorithms for its signature")
        }
        let issuer = try DistinguishedName(derEncoded: try required(fields.next()))
        let issued = try date(try required(fields.next()))
        var nextIssue: Date?
        var revoked: Set<Certificate.SerialNumber> = []
        while let field = fields.next() {
            switch field.identifier {
            case .utcTime, .generalizedTime: nextIssue = try date(field)
            case .sequence: revoked = try entries(field)
            default: try checkExtensions(field)
            }
        }
        return (issuer, issued, nextIssue, revoked)
    }

    private static func entries(_ node: ASN1Node) throws -> Set<Certificate.SerialNumber> {
        guard case .constructed(let entries) = node.content else {
            throw ASN1Error.unexpectedFieldType(node.identifier)
        }
        return Set(
            try entries.map { entry in
                try DER.sequence(entry, identifier: .sequence) { fields in
                    let serial = try ArraySlice<UInt8>(derEncoded: &fields)
                    _ = try date(try required(fields.next()))
                    if let extensions = fields.next() {
                        try check(
                            try DER.sequence(
                                of: Certificate.Extension.self,
                                identifier: .sequence,
                                rootNode: extensions
                            )
                        )
                    }
                    return Certificate.SerialNumber(bytes: serial)
                }
            }
        )
    }

    private static func checkExtensions(_ node: ASN1Node) throws {
        guard case .constructed(let children) = node.content, let list = children.first(where: { _ in true }) else {
            throw ASN1Error.unexpectedFieldType(node.identifier)
        }
        try check(try DER.sequence(of: Certificate.Extension.self, identifier: .sequence, rootNode: list))
    }

    private static func check(_ extensions: [Certificate.Extension]) throws {
        for one in extensions {
            if let kind = partial[one.oid.description] { throw Refusal(description: "it is \(kind)") }
            guard !one.critical || harmless.contains(one.oid.description) else {
                throw Refusal(description: "it has the critical extension \(one.oid), which is not known")
            }
        }
    }

    /// Extensions of lists that do not tell of every certificate of their issuer.
    private static let partial = [
        "2.5.29.27": "a delta of another list", "2.5.29.28": "limited to some certificates",
        "2.5.29.29": "one of several authorities' certificates",
    ]
    /// The number of the list, its issuer's key, reason and time of a revocation.
    private static let harmless: Set<String> = ["2.5.29.20", "2.5.29.35", "2.5.29.21", "2.5.29.24"]

    private static func date(_ node: ASN1Node) throws -> Date {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        var parts = DateComponents()
        if node.identifier == .utcTime {
            let time = try UTCTime(derEncoded: node)
            (parts.year, parts.month, parts.day) = (time.year, time.month, time.day)
            (parts.hour, parts.minute, parts.second) = (time.hours, time.minutes, time.seconds)
        } else {
            let time = try GeneralizedTime(derEncoded: node)
            (parts.year, parts.month, parts.day) = (time.year, time.month, time.day)
            (parts.hour, parts.minute, parts.second) = (time.hours, time.minutes, time.seconds)
        }
        guard let date = calendar.date(from: parts) else { throw Refusal(description: "a time in it is none") }
        return date
    }

    /// `AlgorithmIdentifier`; of those that swift-certificates can verify.
    private static func algorithm(_ node: ASN1Node) throws -> Certificate.SignatureAlgorithm {
        let name = try DER.sequence(node, identifier: .sequence) { fields in
            let name = try ASN1ObjectIdentifier(derEncoded: &fields)
            while fields.next() != nil {}
            return name.description
        }
        guard let algorithm = algorithms[name] else {
            throw Refusal(description: "its signature is of the algorithm \(name), which is not supported")
        }
        return algorithm
    }

    private static let algorithms: [String: Certificate.SignatureAlgorithm] = [
        "1.2.840.10045.4.3.2": .ecdsaWithSHA256, "1.2.840.10045.4.3.3": .ecdsaWithSHA384,
        "1.2.840.10045.4.3.4": .ecdsaWithSHA512, "1.2.840.113549.1.1.11": .sha256WithRSAEncryption,
        "1.2.840.113549.1.1.12": .sha384WithRSAEncryption, "1.2.840.113549.1.1.13": .sha512WithRSAEncryption,
        "1.3.101.112": .ed25519,
    ]

    private static func required(_ node: ASN1Node?) throws -> ASN1Node {
        guard let node else { throw Refusal(description: "it ends early") }
        return node
    }
}
