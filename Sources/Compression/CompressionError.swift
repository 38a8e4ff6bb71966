import Processes

/// Compressed bytes that are not what they should be, or a codec that this build does not have.
package struct CompressionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure this is.
    package enum Code: Hashable, Sendable {
        /// Good perhaps, but not for us: a codec that is not available here, or a limit of ours. It proves nothing against
        /// the bytes.
        case unsupported
        /// The bytes do not decode: damaged, truncated or of another format.
        case corrupt
        /// The bytes are of another format than the manifest says.
        case otherFormat
        /// The codec failed on good input: our own error.
        case failed
        /// A command of the operator's did not do its work.
        case external
    }

    package var code: Code
    package var message: String

    /// Creates an error.
    package init(_ code: Code, _ message: String) {
        (self.code, self.message) = (code, message)
    }

    package var description: String { message }
}

extension ExternalCommand {
    /// A command in the place of a codec.
    /// - Throws: ``CompressionError`` with code `unsupported` when it is none.
    init(codec text: String) throws(CompressionError) {
        do throws(ProcessError) {
            try self.init(text)
        } catch {
            throw CompressionError(.unsupported, error.message)
        }
    }
}
