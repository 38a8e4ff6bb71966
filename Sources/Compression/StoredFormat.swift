package import Processes
import Vocabulary

/// What the data objects of an existing backup are, as its manifest says.
package enum StoredFormat: Hashable, Sendable {
    case identity
    case gzip
    case zstd
    case lz4
    /// Only this command can read them.
    case external(ExternalCommand)

    /// What the operator says about commands that decompress.
    package struct ExternalDecompressors: Hashable, Sendable {
        /// `--external-decompressor`; empty: not given.
        package var command = ""
        /// `--external-decompressor-use-manifest`: the manifest's command may be run.
        package var trustsManifest = false

        /// Nothing given, nothing trusted.
        package init() {}
    }

    /// Decides how to read a backup.
    ///
    /// A manifest comes from storage and is not trusted: the command in it runs only when the operator said so.
    /// - Parameters:
    ///   - engine: the manifest's `CompressionEngine`.
    ///   - manifestCommand: the manifest's `ExternalDecompressor`; empty: none.
    ///   - decompressors: what the operator says.
    /// - Throws: ``CompressionError`` with code `unsupported`.
    package init(
        engine: String,
        manifestCommand: String,
        decompressors: ExternalDecompressors
    ) throws(CompressionError) {
        switch engine {
        case "pargzip", "pgzip": self = .gzip
        case "zstd": self = .zstd
        case "lz4": self = .lz4
        case "external":
            if !decompressors.command.isEmpty {
                self = .external(try ExternalCommand(codec: decompressors.command))
            } else if decompressors.trustsManifest, !manifestCommand.isEmpty {
                self = .external(try ExternalCommand(codec: manifestCommand))
            } else {
                throw CompressionError(
                    .unsupported,
                    "unsupported engine in MANIFEST. You need to provide --external-decompressor if using 'external' compression engine value: \"external\"\(Self.hint(manifestCommand))"
                )
            }
        default: throw CompressionError(.unsupported, "Unkown decompressor engine: \"\(PrintableText.line(engine))\"")
        }
    }

    private static func hint(_ manifestCommand: String) -> String {
        manifestCommand.isEmpty
            ? ""
            : "; HINT: the manifest names the command \"\(PrintableText.line(manifestCommand))\": if you trust it, give it to --external-decompressor, or --external-decompressor-use-manifest"
    }
}
