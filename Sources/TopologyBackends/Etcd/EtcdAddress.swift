package import Topology

/// The servers of an etcd cluster as flags and cell records name them: `host:port`, separated by commas, each with an
/// optional scheme.
///
/// The scheme of the first decides for all: `http` and `unix` are never encrypted, `https` always; without one a
/// client certificate decides.
package struct EtcdAddress: Hashable, Sendable {
    /// Where one server listens.
    package enum Endpoint: Hashable, Sendable, CustomStringConvertible {
        case tcp(host: String, port: Int)
        case unixSocket(path: String)

        package var description: String {
            switch self {
            case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
            case .unixSocket(let path): "unix:\(path)"
            }
        }
    }

    package var endpoints: [Endpoint]
    /// `nil`: no scheme was given.
    package var isEncrypted: Bool?

    private static let defaultPort = 2379

    /// Reads an address.
    /// - Throws: ``TopologyError`` with code `damagedRecord` that names what is none.
    package init(_ text: String) throws(TopologyError) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        endpoints = []
        for part in parts { endpoints.append(try Self.endpoint(part)) }
        let scheme = parts.first.flatMap { Self.scheme($0) } ?? ""
        if scheme == "unixs" {
            throw TopologyError(
                .damagedRecord,
                "\"\(text)\": a socket file has no name that a certificate could be compared with; HINT: give unix:path, which is not encrypted, or https://host:port"
            )
        }
        isEncrypted =
            switch scheme {
            case "https": true
            case "http", "unix": false
            default: nil
            }
    }

    private static func scheme(_ text: Substring) -> String? {
        if let range = text.firstRange(of: "://") { return text[..<range.lowerBound].lowercased() }
        for name in ["unix", "unixs"] where text.hasPrefix(name + ":") { return name }
        return nil
    }

    private static func endpoint(_ text: Substring) throws(TopologyError) -> Endpoint {
        let bad = TopologyError(
            .damagedRecord,
            "\"\(text)\" is no address of an etcd server; HINT: give host:port, http://host:port, https://host:port or unix:path"
        )
        guard let scheme = scheme(text) else { return try tcp(text, or: bad) }
        var rest = text.dropFirst(scheme.utf8.count + 1)
        if rest.hasPrefix("//") { rest = rest.dropFirst(2) }
        switch scheme {
        case "unix", "unixs":
            guard !rest.isEmpty else { throw bad }
            return .unixSocket(path: String(rest))
        case "http", "https": return try tcp(rest.prefix { $0 != "/" }, or: bad)
        default: throw bad
        }
    }

    private static func tcp(_ text: Substring, or bad: TopologyError) throws(TopologyError) -> Endpoint {
        var (host, port) = (text, Substring())
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { throw bad }
            host = text[text.index(after: text.startIndex)..<end]
            port = text[text.index(after: end)...]
        } else if let colon = text.lastIndex(of: ":") {
            (host, port) = (text[..<colon], text[colon...])
        }
        guard !host.isEmpty else { throw bad }
        if port.isEmpty { return .tcp(host: String(host), port: defaultPort) }
        guard port.hasPrefix(":"), let number = UInt16(port.dropFirst()), number > 0 else { throw bad }
        return .tcp(host: String(host), port: Int(number))
    }
}
