package import SystemPackage

/// A conversation with a MySQL server failed.
package struct MySQLWireError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure this is.
    package enum Code: Hashable, Sendable {
        /// The server answered with an error; the number is MySQL's errno.
        case server(errno: UInt16, sqlState: String)
        /// The connection could not be made. `errno` is the client's: 2002 for a socket, 2003 for TCP.
        case cannotConnect(errno: UInt16)
        /// The server closed the connection, or it broke (client errno 2013).
        case connectionLost
        /// Bytes that are not the protocol.
        case protocolViolation
        /// The server cannot do what the configuration demands (TLS, an authentication method).
        case unsupported
        /// TLS could not be set up, or the certificate was not accepted.
        case tls
        /// More rows or bytes than a result may have.
        case resultTooLarge
    }

    package var code: Code
    package var message: String
    /// Why the system refused a call that was to make the connection.
    package var refusedCall: Errno?
    /// Which of several statements that were sent together failed, from 1.
    package var statement = 1

    /// Creates an error.
    package init(_ code: Code, _ message: String) {
        (self.code, self.message) = (code, message)
    }

    /// MySQL's error number, when the server gave one.
    package var serverErrno: UInt16? {
        if case .server(let errno, _) = code { errno } else { nil }
    }

    /// Whether this process may not connect at all, whatever the server does: no time heals that.
    package var isNotAllowedToUs: Bool {
        switch refusedCall {
        case .permissionDenied, .notPermitted, .addressFamilyNotSupported, .protocolNotSupported: true
        default: false
        }
    }

    /// A statement that does not parse, which the server quotes in its message, with passwords in it.
    private static let parseErrors: Set<UInt16> = [1064, 1149]

    package var description: String {
        switch code {
        case .server(let errno, let sqlState) where Self.parseErrors.contains(errno):
            "syntax error\(line.map { " in line \($0)" } ?? "")\(place) (errno \(errno)) (sqlstate \(sqlState))"
        case .server(let errno, let sqlState): "\(message)\(place) (errno \(errno)) (sqlstate \(sqlState))"
        case .cannotConnect(let errno): "\(message) (errno \(errno)) (sqlstate HY000)"
        case .connectionLost: "\(message) (errno 2013) (sqlstate HY000)"
        default: message
        }
    }

    private var place: String { statement == 1 ? "" : " of statement \(statement)" }

    /// Every language has the line of a syntax error last.
    private var line: Substring? {
        message.split { !$0.isASCII || !$0.isNumber }.last
    }
}
