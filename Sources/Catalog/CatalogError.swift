/// A MANIFEST that cannot be read or used.
///
/// The message names the key and what is wrong with it.
package struct CatalogError: Error, Hashable, Sendable, CustomStringConvertible {
    package var message: String

    /// Creates an error with its final text.
    package init(_ message: String) {
        self.message = message
    }

    package var description: String { message }
}
