import Host

/// What is spoken on a port that was taken for a tablet's.
///
/// Told by the first bytes that come from there, whatever the library that could not use them says.
enum PortProtocol: Hashable, Sendable {
    /// HTTP/2 in clear, as gRPC has it.
    case http2
    /// An older HTTP.
    case http1
    case tls
    case mysql
    /// Somebody takes connections and says nothing.
    case silence
    /// Something else, with how it begins.
    case other(String)

    /// How an HTTP/2 connection begins, with settings that change nothing: every server that speaks HTTP or TLS answers it.
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]

    /// Connects and looks.
    /// - Returns: `nil` when that tells nothing: nobody is there, or the connection ends at once.
    static func look(atHost host: String, port: Int) async -> PortProtocol? {
        (try? await PortAnswer.get(fromHost: host, port: port, to: preface)).flatMap { PortProtocol($0) }
    }

    /// Judges an answer to an HTTP/2 preface; `nil` when it tells nothing.
    init?(_ answer: PortAnswer) {
        switch answer {
        case .closed: return nil
        case .nothing: self = .silence
        case .bytes(let bytes): self = Self.judge(bytes)
        }
    }

    private static func judge(_ bytes: [UInt8]) -> PortProtocol {
        if bytes.starts(with: "HTTP/1.".utf8) { return .http1 }
        // A record of handshake or alert, and a version of TLS.
        if bytes.count >= 3, (20...23).contains(bytes[0]), bytes[1] == 3 { return .tls }
        // The first frame of the connection: SETTINGS or GOAWAY of stream 0.
        if bytes.count >= 9, [4, 7].contains(bytes[3]), bytes[5...8].allSatisfy({ $0 == 0 }) { return .http2 }
        // A packet of some length, the first one, with a greeting of protocol 10 or an error.
        if bytes.count >= 5, bytes[0] > 0, bytes[2] == 0, bytes[3] == 0, [10, 255].contains(bytes[4]) { return .mysql }
        let text = bytes.prefix(16).map { byte in
            (32..<127).contains(byte) ? String(UnicodeScalar(byte)) : "\\x\(hexadecimal(byte))"
        }
        return .other(text.joined())
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        let text = String(byte, radix: 16)
        return text.count == 1 ? "0\(text)" : text
    }

    /// Why no tablet can be asked there, and what to do.
    /// - Parameter isEncrypted: whether tablets are spoken to by TLS.
    /// - Returns: `nil` when the port is as it should be, and something else is wrong.
    func fault(isEncrypted: Bool) -> String? {
        let record = "HINT: see \"grpc\" in port_map of the tablet's record, which is --grpc-port of the tablet"
        return switch self {
        case .http2 where isEncrypted:
            "that port speaks no TLS; HINT: leave out --tablet-manager-grpc-ca, -cert, -key and -crl, or give the tablet --grpc-cert and --grpc-key"
        case .http2: nil
        case .tls where isEncrypted: nil
        case .tls:
            "that port speaks TLS; HINT: give --tablet-manager-grpc-ca, and -cert and -key if the tablet asks for a certificate"
        case .http1: "an HTTP server without gRPC listens there; \(record), not its --port"
        case .mysql: "a MySQL server listens there; \(record)"
        case .silence:
            "somebody takes connections there and says nothing: no tablet's gRPC port, or a tablet that hangs; \(record)"
        case .other(let text): "what listens there begins with \"\(text)\" and speaks no gRPC; \(record)"
        }
    }

    /// Whether waiting cannot heal it.
    var isFinal: Bool { self != .silence }
}
