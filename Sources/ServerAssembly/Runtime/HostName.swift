import Glibc

/// The name that a manifest's `Hostname` carries.
enum HostName {
    /// The operating system's name.
    static var local: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The operating system's name, resolved to its first address and back; empty when any step fails.
    ///
    /// May block on DNS.
    static var own: String {
        let local = local
        guard !local.isEmpty else { return "" }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(local, nil, &hints, &found) == 0, let first = found else { return "" }
        defer { freeaddrinfo(found) }
        var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let code = getnameinfo(
            first.pointee.ai_addr,
            first.pointee.ai_addrlen,
            &name,
            socklen_t(name.count),
            nil,
            0,
            NI_NAMEREQD
        )
        guard code == 0 else { return "" }
        let text = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return text.hasSuffix(".") ? String(text.dropLast()) : text
    }
}
