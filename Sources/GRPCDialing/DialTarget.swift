package import GRPCNIOTransportHTTP2Posix
import NIOCore

/// Where to dial: an address is no name, so that a certificate is then compared with the address.
package func dialTarget(host: String, port: Int) -> any ResolvableTarget {
    switch try? NIOCore.SocketAddress(ipAddress: host, port: port) {
    case .v4: .ipv4(address: host, port: port)
    case .v6: .ipv6(address: host, port: port)
    default: .dns(host: host, port: port)
    }
}

/// Whether `host` is an address and no name.
package func isAddress(_ host: String) -> Bool {
    (try? NIOCore.SocketAddress(ipAddress: host, port: 1)) != nil
}
