import NIOCore
import Testing

@testable import MySQLWire

@Suite("A server's greeting")
struct ServerGreetingTests {
    /// Laid out as MySQL 9.7 sends it.
    private static let mysql97: [UInt8] =
        [10] + Array("9.7.4-2\0".utf8) + [0x0b, 0, 0, 0] + Array("8letters".utf8) + [0]
        + [0xff, 0xff, 0xff, 0x02, 0x00, 0xff, 0xdf, 21] + [UInt8](repeating: 0, count: 10)
        + Array("twelve chars\0".utf8) + Array("caching_sha2_password\0".utf8)

    /// As MariaDB 10.11 sends it: a version with a prefix, capabilities of its own in the reserved bytes.
    private static let mariaDB: [UInt8] =
        [10] + Array("5.5.5-10.11.6-MariaDB-0+deb12u1\0".utf8) + [0x2a, 1, 0, 0] + Array("8letters".utf8) + [0]
        + [0xfe, 0xf7, 0x2d, 0x02, 0x00, 0xff, 0x81, 21] + [0, 0, 0, 0, 0, 0, 0x1d, 0, 0, 0]
        + Array("twelve chars\0".utf8) + Array("mysql_native_password\0".utf8)

    @Test("of MySQL 9.7")
    func mysql() throws {
        let greeting = try ServerGreeting(ByteBuffer(bytes: Self.mysql97))
        #expect(greeting.version == "9.7.4-2")
        #expect(greeting.connectionID == 11)
        #expect(greeting.capabilities == Capabilities(rawValue: 0xdfff_ffff))
        #expect(greeting.plugin == "caching_sha2_password")
        #expect(greeting.nonce == Array("8letterstwelve chars".utf8))
    }

    @Test("of MariaDB 10.11")
    func mariaDB() throws {
        let greeting = try ServerGreeting(ByteBuffer(bytes: Self.mariaDB))
        #expect(greeting.version == "5.5.5-10.11.6-MariaDB-0+deb12u1")
        #expect(greeting.connectionID == 298)
        #expect(greeting.capabilities == Capabilities(rawValue: 0x81ff_f7fe))
        #expect(greeting.plugin == "mysql_native_password")
        #expect(greeting.nonce == Array("8letterstwelve chars".utf8))
    }

    @Test("is the one that the other tests use")
    func builder() throws {
        let greeting = try ServerGreeting(ServerPackets.greeting(version: "x", plugin: "y", withTLS: true))
        #expect(greeting.version == "x")
        #expect(greeting.plugin == "y")
        #expect(greeting.nonce == ServerPackets.nonce)
        #expect(greeting.capabilities == ServerPackets.capabilities.union(.tls))
    }

    @Test("without the name of a method means mysql_native_password")
    func noPlugin() throws {
        var bytes = Self.mysql97
        bytes[27] &= ~8  // the capability bit of method names: 1 << 19
        #expect(try ServerGreeting(ByteBuffer(bytes: bytes)).plugin == "mysql_native_password")
    }

    @Test("a name without its final zero is taken as it is")
    func unterminatedPlugin() throws {
        #expect(try ServerGreeting(ByteBuffer(bytes: Self.mysql97.dropLast())).plugin == "caching_sha2_password")
    }

    @Test("can be an error, such as too many connections")
    func error() {
        let packet = ServerPackets.error(1040, "08004", "Too many connections")
        #expect(throws: MySQLWireError(.server(errno: 1040, sqlState: "08004"), "Too many connections")) {
            try ServerGreeting(packet)
        }
        // Before it knows what the client speaks, a server leaves the SQL state out.
        let bare = ByteBuffer(bytes: [0xff, 0x69, 0x04] + Array("Host is blocked".utf8))
        #expect(throws: MySQLWireError(.server(errno: 1129, sqlState: "HY000"), "Host is blocked")) {
            try ServerGreeting(bare)
        }
    }

    @Test("of another protocol is refused, with the question that helps", arguments: [9, 0, 0x48])
    func otherProtocol(version: UInt8) {
        let error = #expect(throws: MySQLWireError.self) {
            try ServerGreeting(ByteBuffer(bytes: [version] + Self.mysql97.dropFirst()))
        }
        #expect(error?.code == .protocolViolation)
        #expect(error?.message.contains("is this a MySQL port?") == true)
    }

    @Test("of a server before 4.1 is refused")
    func old() {
        let error = #expect(throws: MySQLWireError.self) {
            try ServerGreeting(ServerPackets.greeting(version: "4.0.1", capabilities: [.longPassword]))
        }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("4.0.1") == true)
    }

    @Test("cut anywhere never crashes, and is an error unless only optional parts are missing")
    func truncated() {
        // The method's name may be missing or shorter, and the zero before it: the server then asks for its method.
        let needed = Self.mysql97.count - "caching_sha2_password\0".utf8.count - 1
        for count in 0..<needed {
            let packet = ByteBuffer(bytes: Self.mysql97.prefix(count))
            #expect(throws: MySQLWireError.self, "\(count) bytes") { try ServerGreeting(packet) }
        }
        for count in needed..<Self.mysql97.count {
            let packet = ByteBuffer(bytes: Self.mysql97.prefix(count))
            #expect(throws: Never.self, "\(count) bytes") { try ServerGreeting(packet) }
        }
    }
}
