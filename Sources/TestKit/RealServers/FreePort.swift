import Glibc
import Synchronization

/// Below the range that the kernel gives to outgoing connections, so that nobody takes a port between the look and the
/// use; each is given out once.
private let nextPort = Mutex<UInt16>(10_000 + UInt16(getpid() % 2000) * 10)

/// A TCP port of the loopback interface that is free, and that no other test of this run gets.
package func freePort() -> Int {
    while true {
        let port = nextPort.withLock { port in
            defer { port = port >= 32_000 ? 10_000 : port + 1 }
            return port
        }
        if canBind(port) { return Int(port) }
    }
}

private func canBind(_ port: UInt16) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    address.sin_port = port.bigEndian
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            bind(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}

/// Whether somebody listens on a port of the loopback interface.
func isListening(_ port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port).bigEndian)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}
