import SystemPackage

/// Debian's protoc, which reads our proto files for itself: what it encodes is what another program would write.
package enum Protoc {
    /// Encodes a message from protobuf's text form.
    /// - Parameters:
    ///   - message: its full name.
    ///   - text: its fields.
    ///   - file: where it is declared, below `Proto`.
    /// - Returns: the bytes.
    /// - Throws: what protoc says is wrong.
    package static func encode(_ message: String, _ text: String, file: String) async throws -> [UInt8] {
        let script = "printf %s \"$1\" | protoc -I \"$2\" --encode=\"$3\" \"$4\" | od -An -v -tx1"
        let folder = Programs.root.appending("Proto").string
        let run = try await Programs.run(
            "/bin/bash",
            ["-o", "pipefail", "-c", script, "-", text, folder, message, file]
        )
        guard run.succeeded else { throw ProtocFailure(description: run.standardError) }
        return run.standardOutput.split(whereSeparator: \.isWhitespace).compactMap { UInt8($0, radix: 16) }
    }
}

private struct ProtocFailure: Error, CustomStringConvertible {
    let description: String
}
